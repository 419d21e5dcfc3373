import { spawnSync } from 'node:child_process';
import test from 'ava';

/**
 * `test`, or `test.skip` where the machine has no such program: each test that is skipped says what it lacks by its
 * name. `.ci/run` installs them all, and counts a skipped test as a failed one.
 */
export function needing(tool: string): typeof test | typeof test.skip {
  return spawnSync(tool, ['--version']).status === 0 ? test : test.skip;
}
