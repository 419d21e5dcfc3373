/**
 * The candidate that a mistyped word most likely meant: one that it begins, or one that is a few typing errors
 * away; `undefined` if none is close. Case does not count.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const wanted = word.toLowerCase();
  if (wanted.length > 64) return undefined;
  const begun = candidates.find((name) => wanted.length >= 3 && name.toLowerCase().startsWith(wanted));
  if (begun !== undefined) return begun;
  const ranked = candidates
    .map((name) => ({ name, errors: typingErrors(wanted, name.toLowerCase()) }))
    .filter(({ name, errors }) => errors <= Math.max(1, Math.min(name.length, wanted.length) / 3))
    .sort((a, b) => a.errors - b.errors);
  return ranked[0]?.name;
}

/** Insertions, deletions, replacements and swaps of neighbours that turn one word into the other. */
function typingErrors(from: string, to: string): number {
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 0; i < from.length; i += 1) {
    const next = [i + 1];
    for (let j = 0; j < to.length; j += 1) {
      const replaced = at(row, j) + (from[i] === to[j] ? 0 : 1);
      const swapped = from[i] === to[j - 1] && from[i - 1] === to[j] ? at(before, j - 1) + 1 : Infinity;
      next.push(Math.min(replaced, swapped, at(row, j + 1) + 1, at(next, j) + 1));
    }
    before = row;
    row = next;
  }
  return at(row, to.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}
