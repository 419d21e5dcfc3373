import type { AnyNode, SwitchStatement } from 'acorn';

/**
 * Whether a node is a label or the end of the last cases of a function that return `undefined`. They are there for the
 * type checker, which wants to see every kind named: without them the function would come to the same.
 */
export function comesToNothing(around: readonly AnyNode[]): boolean {
  const [given, owner, block] = around;
  if (given?.type !== 'SwitchCase' || owner?.type !== 'SwitchStatement') return false;
  return block?.type === 'BlockStatement' && block.body.at(-1) === owner && lastCases(owner).includes(given);
}

function lastCases({ cases }: SwitchStatement): readonly AnyNode[] {
  const [end] = cases.at(-1)?.consequent ?? [];
  const isNothing =
    end?.type === 'ReturnStatement' &&
    (end.argument?.type === 'Identifier' ? end.argument.name === 'undefined' : !end.argument);
  if (!isNothing) return [];
  const before = cases.slice(0, -1).findLastIndex(({ consequent }) => consequent.length > 0);
  return cases.slice(before + 1);
}
