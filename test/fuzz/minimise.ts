const maxTries = 400;
const maxMs = 20_000;

/**
 * A shorter input that still fails: takes away parts, large ones first, as long as the failure stays the same. Gives up
 * after some hundred tries, as one of them may take a second.
 */
export async function minimise(input: Buffer, fails: (input: Buffer) => Promise<boolean>): Promise<Buffer> {
  const endMs = performance.now() + maxMs;
  let shortest = input;
  let tries = 0;
  for (let size = Math.ceil(input.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < shortest.length;) {
      if (tries >= maxTries || performance.now() > endMs) return shortest;
      tries += 1;
      const shorter = Buffer.concat([shortest.subarray(0, at), shortest.subarray(at + size)]);
      if (await fails(shorter)) shortest = shorter;
      else at += size;
    }
  }
  return shortest;
}
