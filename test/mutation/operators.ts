import type { AnyNode } from 'acorn';
import { isMessage } from './messages.js';
import { comesToNothing } from './nothing.js';
import { type Place, isFunction, nameOf } from './source.js';

/** One change of a module's text. */
export interface Edit {
  readonly operator: string;
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

type Operator = (place: Place, source: string) => readonly Edit[];

const swapped: Readonly<Record<string, string>> = {
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '===': '!==',
  '!==': '===',
  '+': '-',
  '-': '+',
  '*': '/',
  '/': '*',
  '%': '*',
  '+=': '-=',
  '-=': '+=',
  '++': '--',
  '--': '++',
  '??=': '=',
};

const swappedMethods: Readonly<Record<string, string>> = {
  min: 'max',
  max: 'min',
  some: 'every',
  every: 'some',
  startsWith: 'endsWith',
  endsWith: 'startsWith',
};

/** What is done to a program, each by a name. No two of them make the same change. */
const operators: Readonly<Record<string, Operator>> = {
  condition: negatedCondition,
  operator: otherOperator,
  logical: otherLogic,
  negation: droppedNegation,
  literal: otherLiteral,
  pattern: weakerPattern,
  removal: removedStatement,
  exit: removedExit,
  optional: requiredLink,
  default: droppedDefault,
  method: otherMethod,
  body: emptyBody,
};

export function editsAt(place: Place, source: string): readonly Edit[] {
  return Object.entries(operators).flatMap(([operator, edits]) =>
    edits(place, source).map((edit) => ({ ...edit, operator })),
  );
}

function replaced(node: { readonly start: number; readonly end: number }, text: string): Edit {
  return { operator: '', start: node.start, end: node.end, text };
}

/** A comparison or a `!` is turned round by an operator of its own. */
function negatedCondition({ node }: Place, source: string): readonly Edit[] {
  if (!('test' in node) || node.type === 'SwitchCase' || !node.test) return [];
  const { test } = node;
  if (test.type === 'UnaryExpression' && test.operator === '!') return [];
  if (test.type === 'BinaryExpression' && /^[!=]==$/.test(test.operator)) return [];
  return [replaced(test, `!(${source.slice(test.start, test.end)})`)];
}

function otherOperator({ node }: Place, source: string): readonly Edit[] {
  if (node.type === 'UpdateExpression') {
    const start = node.prefix ? node.start : node.end - node.operator.length;
    return [replaced({ start, end: start + 2 }, swapped[node.operator] ?? '')];
  }
  if (node.type !== 'BinaryExpression' && node.type !== 'AssignmentExpression') return [];
  const other = swapped[node.operator];
  if (other === undefined || [node.left, node.right].some(isText)) return [];
  const start = source.indexOf(node.operator, node.left.end);
  return [replaced({ start, end: start + node.operator.length }, other)];
}

function isText(node: AnyNode): boolean {
  return (
    node.type === 'TemplateLiteral' ||
    (node.type === 'Literal' && typeof node.value === 'string' && node.value !== '')
  );
}

function otherLogic({ node }: Place, source: string): readonly Edit[] {
  if (node.type !== 'LogicalExpression') return [];
  const left = source.slice(node.left.start, node.left.end);
  const right = source.slice(node.right.start, node.right.end);
  const sides = [replaced(node, `(${left})`), replaced(node, `(${right})`)];
  if (node.operator === '??') return sides;
  const other = node.operator === '&&' ? '||' : '&&';
  return [replaced(node, `((${left}) ${other} (${right}))`), ...sides];
}

function droppedNegation({ node }: Place, source: string): readonly Edit[] {
  if (node.type !== 'UnaryExpression' || node.operator !== '!') return [];
  return [replaced(node, `(${source.slice(node.argument.start, node.argument.end)})`)];
}

function otherLiteral(place: Place, source: string): readonly Edit[] {
  const { node } = place;
  if (node.type === 'TemplateLiteral') {
    const isTagged = place.around[0]?.type === 'TaggedTemplateExpression';
    return isTagged || isMessage(place, source) ? [] : [replaced(node, "''")];
  }
  if (node.type !== 'Literal') return [];
  const { value } = node;
  if (typeof value === 'boolean') return [replaced(node, String(!value))];
  if (typeof value === 'number') {
    return [...(value === 1 ? [replaced(node, '0')] : []), replaced(node, String(value + 1))];
  }
  if (typeof value !== 'string' || isMessage(place, source) || comesToNothing(place.around)) return [];
  return [replaced(node, value === '' ? "'mutant'" : "''")];
}

function weakerPattern({ node }: Place): readonly Edit[] {
  if (node.type !== 'Literal' || !node.regex) return [];
  const { pattern, flags } = node.regex;
  return [
    ...(pattern.startsWith('^') ? [replaced(node, `/${pattern.slice(1)}/${flags}`)] : []),
    ...(pattern.endsWith('$') ? [replaced(node, `/${pattern.slice(0, -1)}/${flags}`)] : []),
    ...flags.split('').map((flag) => replaced(node, `/${pattern}/${flags.replace(flag, '')}`)),
  ].filter(({ text }) => isPattern(text));
}

/** Some patterns cannot do without a flag. */
function isPattern(text: string): boolean {
  const at = text.lastIndexOf('/');
  try {
    return at > 1 && new RegExp(text.slice(1, at), text.slice(at + 1)).flags !== 'g';
  } catch {
    return false;
  }
}

function removedStatement({ node, around }: Place): readonly Edit[] {
  if (node.type !== 'ExpressionStatement' || 'directive' in node) return [];
  const isSuper = node.expression.type === 'CallExpression' && node.expression.callee.type === 'Super';
  // Without an assignment of the constructor an object has no member at all; any test sees that.
  const isMember =
    around[2]?.type === 'MethodDefinition' &&
    around[2].kind === 'constructor' &&
    node.expression.type === 'AssignmentExpression';
  return isSuper || isMember ? [] : [replaced(node, ';')];
}

/** The last statement of a function is no early exit. */
function removedExit({ node, around }: Place): readonly Edit[] {
  if (!/^(?:Return|Continue|Break|Throw)Statement$/.test(node.type)) return [];
  const [block, owner] = around;
  const isLast = block?.type === 'BlockStatement' && isFunction(owner) && block.body.at(-1) === node;
  return isLast || comesToNothing(around) ? [] : [replaced(node, ';')];
}

function requiredLink({ node }: Place, source: string): readonly Edit[] {
  if (node.type !== 'MemberExpression' && node.type !== 'CallExpression') return [];
  if (!node.optional) return [];
  const inner = node.type === 'CallExpression' ? node.callee : node.object;
  const start = source.indexOf('?.', inner.end);
  const isNamed = node.type === 'MemberExpression' && !node.computed;
  return [replaced({ start, end: start + 2 }, isNamed ? '.' : '')];
}

function droppedDefault({ node }: Place, source: string): readonly Edit[] {
  if (node.type !== 'AssignmentPattern') return [];
  return [replaced(node, source.slice(node.left.start, node.left.end))];
}

function otherMethod({ node }: Place): readonly Edit[] {
  if (node.type !== 'CallExpression' || node.callee.type !== 'MemberExpression') return [];
  const { property } = node.callee;
  const other = Object.hasOwn(swappedMethods, nameOf(property))
    ? swappedMethods[nameOf(property)]
    : undefined;
  return other === undefined ? [] : [replaced(property, other)];
}

function emptyBody({ node }: Place): readonly Edit[] {
  if (node.type !== 'ArrowFunctionExpression') return [];
  const { body } = node;
  return /^(?:Call|Await|Assignment)Expression$/.test(body.type) ? [replaced(body, 'undefined')] : [];
}
