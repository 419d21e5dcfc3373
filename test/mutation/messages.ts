import { type Place, nameOf } from './source.js';

/**
 * Whether a text says something to people, or is no value at all (a module's name, a member's): what is changed in
 * such a text is not looked for. Two words with a space between them are taken for a sentence.
 */
export function isMessage({ node, around }: Place, source: string): boolean {
  const [parent] = around;
  if (parent === undefined || /^(?:Import|Export|ExpressionStatement)/.test(parent.type)) return true;
  if (parent.type === 'Property' && parent.key === node) return true;
  if (parent.type === 'CallExpression' && nameOf(parent.callee) === 'Symbol') return true;
  return /[A-Za-z,;:.]{2} [A-Za-z]{2}/.test(source.slice(node.start, node.end));
}
