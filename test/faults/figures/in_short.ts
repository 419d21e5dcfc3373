import test, { type ExecutionContext } from 'ava';
import { scenarios } from './all.js';

/** Registers the scenarios with these ids as tests, as short as they can be; `npm run faults` plays them in full. */
export function testInShort(...ids: readonly string[]): void {
  for (const { id, name, obstacle, fullOnly, run } of scenarios) {
    if (!ids.includes(id) || fullOnly === true) continue;
    const why = obstacle?.();
    if (why !== undefined) {
      test.skip(`${id}: ${name} (${why})`, (t) => t.pass());
      continue;
    }
    test.serial(`${id}: ${name}`, async (t: ExecutionContext) => {
      for (const { what, asked, seen, met } of await run(t, 'short')) {
        t.true(met, `${what}: asked ${asked}, seen ${seen}`);
      }
    });
  }
}
