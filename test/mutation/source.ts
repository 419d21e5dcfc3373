import { type AnyNode, parse } from 'acorn';

/** A node with the nodes around it, the nearest first. */
export interface Place {
  readonly node: AnyNode;
  readonly around: readonly AnyNode[];
}

/** Every node of a module, outer ones first. */
export function placesIn(text: string): readonly Place[] {
  const places: Place[] = [];
  const visit = (node: AnyNode, around: readonly AnyNode[]): void => {
    places.push({ node, around });
    for (const child of childrenOf(node)) visit(child, [node, ...around]);
  };
  visit(parse(text, { ecmaVersion: 2022, sourceType: 'module' }), []);
  return places;
}

function childrenOf(node: AnyNode): readonly AnyNode[] {
  return Object.values(node).flat().filter(isNode);
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}

/** The name of the function that a node belongs to, `Class.method` for methods, and `module` outside of all. */
export function functionAround(around: readonly AnyNode[]): string {
  for (const [index, node] of around.entries()) {
    if (node.type === 'FunctionDeclaration') return node.id?.name ?? 'default';
    if (node.type === 'MethodDefinition' || node.type === 'PropertyDefinition') {
      const owner = around.slice(index).find(({ type }) => type === 'ClassDeclaration');
      return `${owner?.type === 'ClassDeclaration' ? (owner.id?.name ?? '') : ''}.${nameOf(node.key)}`;
    }
    if (node.type === 'VariableDeclarator' && isFunction(node.init)) return nameOf(node.id);
  }
  return 'module';
}

export function isFunction(node: AnyNode | null | undefined): boolean {
  return (
    node?.type === 'ArrowFunctionExpression' ||
    node?.type === 'FunctionExpression' ||
    node?.type === 'FunctionDeclaration'
  );
}

/** The name a node is, with its `#`; empty for what is none. */
export function nameOf(node: AnyNode): string {
  if (node.type === 'PrivateIdentifier') return `#${node.name}`;
  return node.type === 'Identifier' ? node.name : '';
}
