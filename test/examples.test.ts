import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { chromium } from 'playwright-core';

const run = promisify(execFile);
const chromiumPath = '/usr/bin/chromium';
const withChromium = existsSync(chromiumPath) ? test : test.skip;

/** What an example prints on stdout; rejects where it fails. */
async function outputOf(name: string, ...argv: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await run(process.execPath, [`examples/${name}`, ...argv]);
  return stdout.trimEnd().split('\n');
}

test('an app exports its readings and sees every state', async (t) => {
  t.deepEqual(await outputOf('node-app.js'), [
    'Pending',
    'Processing',
    'Finished',
    '201 Created {"stored":200}',
  ]);
});

test('many records are exported, and those that failed are named', async (t) => {
  t.deepEqual(await outputOf('bulk.js', '120'), [
    '119 of 120 exported, 120 received',
    'record 99: 422 Unprocessable Entity',
  ]);
});

test('a task is started, waited for, and its archive written to a file', async (t) => {
  const home = mkdtempSync(join(tmpdir(), 'archive-'));
  t.teardown(() => rmSync(home, { recursive: true }));
  const file = join(home, 'archive.zip');
  t.deepEqual(await outputOf('archive.js', file), [
    'the task has begun',
    'not done yet',
    'not done yet',
    'done',
  ]);
  t.is(readFileSync(file).toString('latin1'), `PK\u0005\u0006${'\0'.repeat(18)}`);
});

test('a mutation goes to GraphQL with its own authorization', async (t) => {
  t.deepEqual(await outputOf('graphql.js'), ['401 Unauthorized who are you?', '200 OK a good day']);
});

test('an import is tried, done, and repeated without harm', async (t) => {
  t.deepEqual(await outputOf('import.js'), [
    'dry run: destination_refused (link_local)',
    'dry run: it would go to 127.0.0.1; imports so far: 0',
    'imported: 201 Created; imports so far: 1',
    'again: the same job; imports so far: 1',
  ]);
});

withChromium('a page follows one job with a macaroon that permits nothing else', async (t) => {
  const app = spawn(process.execPath, ['examples/browser/server.js'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(app, 'close');
  t.teardown(async () => {
    app.kill();
    await closed;
  });
  const [line] = (await once(app.stdout.setEncoding('utf8'), 'data')) as [string];
  const url = line.replace('open ', '').trim();
  const browser = await chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox'] });
  t.teardown(() => browser.close());
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(url);
  await page.waitForFunction("document.querySelector('#forbidden').textContent !== ''");
  const states = await page.locator('#states li').allTextContents();
  t.is(states.at(-1), 'Finished');
  t.is(new Set(states).size, states.length);
  t.is(await page.locator('#answer').textContent(), 'thank you');
  t.regex((await page.locator('#forbidden').textContent()) ?? '', /^forbidden by job = [0-9a-f-]{36}$/);
  t.deepEqual(errors, []);
});
