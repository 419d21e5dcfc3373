/** How `npm test` runs the tests: several files in one worker, see scripts/group-tests.js. */
import { readFileSync } from 'node:fs';

const { ava } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));

export default { ...ava, files: ['build/suites/*.test.js'] };
