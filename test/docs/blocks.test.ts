import { readdirSync, readFileSync } from 'node:fs';
import test from 'ava';
import { docBlocks } from '../helpers/doc_blocks.js';

/** The test that runs a page's blocks whatever they are, or, block by block, how it begins and the test that runs it. */
type Tested = string | readonly (readonly [firstLine: string, file: string])[];

const testedBy: Readonly<Record<string, Tested>> = {
  'README.md': [
    ['npm ci && npm run demo ', 'readme.test'],
    ['$ curl -s -H "X-Api-Key: $KEY" $RELAY/export', 'readme.test'],
    ['node dist/main.js mint ', 'readme.test'],
    ['docker run -p 8080:8080 ', 'docs/image.test'],
  ],
  'docs/audit.md': [
    ['$ export-relay audit verify audit.log', 'audit/documentation.test'],
    ['{', 'audit/documentation.test'],
  ],
  'docs/client.md': 'client/documentation.test',
  'docs/durability.md': [['npm start -- ', 'docs/other_pages.test']],
  'docs/errors.md': 'docs/app_developer_pages.test',
  'docs/fuzzing.md': [['npm run fuzz ', 'docs/other_pages.test']],
  'docs/macaroons.md': 'docs/app_developer_pages.test',
  'docs/migration.md': 'docs/app_developer_pages.test',
  'docs/mutation.md': [['npm run mutants ', 'docs/other_pages.test']],
  'docs/operating/README.md': [
    ['scrape_configs:', 'docs/operating.test'],
    ["grep '^{' relay.log | jq ", 'docs/operating.test'],
    ['[Service]', 'docs/operating.test'],
  ],
  'docs/performance.md': [['npm run bench ', 'docs/other_pages.test']],
  'docs/platform.md': [['export-relay serve: 2 mistakes', 'docs/other_pages.test']],
  'docs/reliability.md': [
    ['npm run faults ', 'docs/other_pages.test'],
    ['npm run soak ', 'docs/other_pages.test'],
  ],
  'docs/websocket.md': [
    ['> {"ref":', 'docs/other_pages.test'],
    ['const socket = ', 'docs/other_pages.test'],
  ],
};

const pages = [
  ...readdirSync('.').filter((name) => name.endsWith('.md')),
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
].sort();

test('every block of every page has a test that runs it', (t) => {
  t.deepEqual(
    pages.filter((page) => docBlocks(page).length > 0),
    Object.keys(testedBy),
  );
  for (const [page, tested] of Object.entries(testedBy)) {
    const files = typeof tested === 'string' ? [tested] : tested.map(([, file]) => file);
    for (const file of files)
      t.true(readFileSync(`test/${file}.ts`, 'utf8').includes(page), `${file}: ${page}`);
    if (typeof tested === 'string') continue;
    const blocks = docBlocks(page);
    t.is(blocks.length, tested.length, page);
    for (const [index, [firstLine]] of tested.entries()) {
      t.true(blocks[index]?.text.startsWith(firstLine), `${page}: ${firstLine}`);
    }
  }
});

test('no page has a block that is not seen as one, indented or fenced otherwise', (t) => {
  for (const page of pages) {
    const fences = readFileSync(page, 'utf8').match(/^[ >]*(?:```|~~~)/gm) ?? [];
    t.is(fences.length, docBlocks(page).length * 2, page);
  }
});
