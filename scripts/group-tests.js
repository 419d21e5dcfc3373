/**
 * Writes build/suites/: files that each load a few test files of one folder. A worker then starts, and loads what its
 * tests need, once for all of them; that takes a third less time than a worker a file. `npm test` runs these; a single
 * file is run by `npx ava build/test/….test.js`.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const tests = 'build/test';
const suites = 'build/suites';
const filesPerSuite = 5;

/** These measure something or keep the processor busy, and would disturb what runs beside them in one process. */
const alone = [
  /^browser/,
  /^faults/,
  /^model/,
  /kill\.test/,
  /memory\.test/,
  /quadratic\.test/,
  /differential/,
];

rmSync(suites, { recursive: true, force: true });
mkdirSync(suites, { recursive: true });
const groups = new Map();
for (const file of readdirSync(tests, { recursive: true }).sort()) {
  if (!file.endsWith('.test.js')) continue;
  const name = alone.some((pattern) => pattern.test(file))
    ? file.slice(0, -'.test.js'.length)
    : dirname(file);
  groups.set(name, [...(groups.get(name) ?? []), file]);
}
for (const [name, files] of groups) {
  for (let at = 0; at < files.length; at += filesPerSuite) {
    const imports = files.slice(at, at + filesPerSuite).map((file) => `import '../test/${file}';\n`);
    const number = files.length > filesPerSuite ? `-${at / filesPerSuite + 1}` : '';
    const suite = name === '.' ? 'project' : name.replaceAll('/', '-');
    writeFileSync(join(suites, `${suite}${number}.test.js`), imports.join(''));
  }
}
