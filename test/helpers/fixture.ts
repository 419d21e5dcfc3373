import { readFileSync } from 'node:fs';

/** The parsed JSON of a file in test/fixtures. */
export function readFixture(name: string): unknown {
  return JSON.parse(readFileSync(`test/fixtures/${name}`, 'utf8'));
}
