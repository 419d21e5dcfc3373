import { readFileSync } from 'node:fs';
import test from 'ava';
import type { AxeResults } from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { request } from 'undici';
import type { Ledger } from '#relay/admin/ledger.js';
import type { ExportPage, ExportRow, Summary } from '#relay/page/wire.js';
import { startAdmin } from '../helpers/admin.js';
import { hasBrowser, startBrowser } from '../helpers/browser.js';
import { eventually } from '../helpers/eventually.js';
import { mintWith, startRelay } from '../helpers/relay.js';
import { addOpen, sampleLedger } from '../helpers/sample_record.js';
import { type Cleanup, startDestination } from '../helpers/scripted_destination.js';

const withBrowser = hasBrowser ? test.serial : test.skip;
const axe = readFileSync('node_modules/axe-core/axe.min.js', 'utf8');
const phone = { viewport: { width: 390, height: 800 } };

let started: Promise<Browser> | undefined;

test.after.always('the browser ends', async () => {
  await (await started)?.close();
});

interface Opened {
  readonly page: Page;
  /** What the browser complained of: errors, refused scripts and styles, requests that failed. */
  readonly complaints: string[];
}

async function open(t: Cleanup, url: string, options: BrowserContextOptions = {}): Promise<Opened> {
  const browser = await (started ??= startBrowser());
  const context = await browser.newContext(options);
  t.teardown(() => context.close());
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('requestfailed', (failed) => {
    if (!failed.url().includes('/api/')) complaints.push(failed.url());
  });
  page.on('request', (sent) => {
    if (!sent.url().startsWith(url)) complaints.push(`a request to ${sent.url()}`);
  });
  await page.goto(url);
  await page.locator('html[data-revision]').waitFor();
  return { page, complaints };
}

async function fromApi<Answer>(url: string, path: string): Promise<Answer> {
  const { body } = await request(`${url}${path}`);
  return (await body.json()) as Answer;
}

/** Rows as the page shows them: one text a cell. */
async function shownRows(page: Page, table: string): Promise<readonly string[][]> {
  const rows = await page.locator(`#${table} tr`).all();
  return Promise.all(rows.map((row) => row.locator('td').allTextContents()));
}

withBrowser('the page shows, live, what the API says while exports run', async (t) => {
  const answers: (() => void)[] = [];
  const destination = await startDestination(t, ({ path }, response) => {
    if (path === '/declined') response.writeHead(418).end();
    else if (path === '/held') answers.push(() => response.end());
    else response.end();
  });
  const origin = destination.url.replace('/in', '');
  const relay = await startRelay(t, ['--lane-concurrency=4']);
  const { page, complaints } = await open(t, relay.adminUrl);
  t.is(await page.locator('#open-note').textContent(), 'Nothing is leaving now.');
  const macaroon = mintWith({ identifier: 'step-counter' });
  const submit = (uri: string, purpose: string): ReturnType<typeof relay.post> =>
    relay.post('/export', { id: '', uri, data: '{"steps":1}', purpose }, { macaroon });
  await submit(`${origin}/in?token=s3cret`, 'for the diary');
  await submit(`${origin}/declined`, 'for nothing');
  await submit(`${origin}/held`, 'for later');
  await submit('http://169.254.169.254/', 'for the metadata');
  await destination.arrived(3);
  const settledRows = async (): Promise<boolean> =>
    (await page.locator('#ended-rows tr').count()) === 3 &&
    (await page.locator('#open-rows tr').count()) === 1;
  await eventually(settledRows);
  const { exports } = await fromApi<ExportPage>(relay.adminUrl, '/api/exports');
  const rows = [...(await shownRows(page, 'open-rows')), ...(await shownRows(page, 'ended-rows'))];
  t.is(rows.length, exports.length);
  for (const [index, row] of exports.entries()) compare(t, rows[index] ?? [], row);
  const summary = await fromApi<Summary>(relay.adminUrl, '/api/summary');
  t.deepEqual(summary.last24Hours, { delivered: 1, undelivered: 1, refused: 1, bytes: 22 });
  t.is(await page.locator('#figure-left').textContent(), '1');
  t.is(await page.locator('#figure-undelivered').textContent(), '1');
  t.is(await page.locator('#figure-refused').textContent(), '1');
  t.is(await page.locator('#figure-open').textContent(), '1');
  t.false((await page.content()).includes('s3cret'));
  for (const answer of answers) answer();
  await eventually(async () => (await page.locator('#ended-rows tr').count()) === 4);
  await eventually(async () => (await page.locator('#figure-open').textContent()) === '0');
  t.deepEqual(complaints, []);
});

function compare(
  t: { readonly true: (value: boolean, message: string) => unknown },
  cells: readonly string[],
  row: ExportRow,
): void {
  const [result = '', to = '', app = '', size = ''] = cells;
  const words = {
    delivered: 'Delivered',
    declined: 'Declined',
    failed: 'Failed',
    cancelled: 'Cancelled',
    refused: 'Refused',
  };
  t.true(result.includes(row.outcome === null ? 'Leaving' : words[row.outcome]), result);
  t.true(result.includes(row.reason ?? ''), result);
  t.true(to.startsWith(row.destination) && to.endsWith(row.purpose ?? ''), to);
  t.true(app === row.app, app);
  t.true(size === `${row.bytes}\u00a0B`, size);
}

const hostile = [
  '<img src=x onerror="document.title=1">',
  '<script>document.title=2</script>',
  '"><svg onload=document.title=3>',
  "javascript:document.title=4//'`${1}",
  '&lt;b&gt; &amp; {{7*7}} </td></table>',
  '\u202Eevil \u0000\uFFFF 👾',
] as const;

withBrowser('what an app writes is text, never markup, whatever it writes', async (t) => {
  const ledger = sampleLedger({ count: 0, spanMs: 1 });
  const { onChange, onRefusal } = ledger;
  const { createJob, newJobId } = await import('#relay/job/job.js');
  const { destination } = await import('../helpers/jobs.js');
  for (const text of hostile) {
    const about = {
      owner: text,
      purpose: text,
      dataBytes: 1,
      destination: destination(`https://a.example/${encodeURI(text)}`),
    };
    onChange(createJob(newJobId(), { ...about, data: '', expiresAtMs: undefined }, Date.now()));
    onRefusal({
      ...about,
      dataSha256: () => '',
      failure: { code: 'caveat_not_satisfied', caveat: text, detail: text },
    });
  }
  const admin = await startAdmin(ledger, { auditFile: hostile[0] });
  t.teardown(admin.close);
  const { page, complaints } = await open(t, admin.url);
  const apps = await page.locator('#ended-rows td.app').allTextContents();
  t.deepEqual([...apps].sort(), [...hostile].map((text) => text.replace('\u0000', '\u0000')).sort());
  const purposes = await page.locator('#open-rows .purpose').allTextContents();
  t.deepEqual(purposes, [...hostile]);
  t.is(await page.locator('main img, main script, main svg[onload], td *:is(img, script, svg)').count(), 0);
  t.is(await page.title(), 'What leaves this box · export-relay');
  t.is(await page.locator('#verify-command').textContent(), `export-relay audit verify '${hostile[0]}'`);
  // A chip and the pressed button carry the name, too.
  await page.locator('#apps button').first().click();
  await page.locator('.chip').waitFor();
  t.is(await page.title(), 'What leaves this box · export-relay');
  t.deepEqual(complaints, []);
});

withBrowser('it works with the keyboard alone', async (t) => {
  const ledger = sampleLedger({ count: 120, spanMs: 3_600_000 });
  const admin = await startAdmin(ledger);
  t.teardown(admin.close);
  const { page } = await open(t, admin.url);
  const focused = (): Promise<string> =>
    page.evaluate('document.activeElement.id || document.activeElement.textContent');
  await page.keyboard.press('Tab');
  t.is(await focused(), 'Skip to what left');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  t.is(await focused(), 'q');
  const all = await shownRows(page, 'ended-rows');
  t.is(all.length, 25);
  await page.keyboard.type('health.example.org');
  await eventually(async () => {
    const rows = await shownRows(page, 'ended-rows');
    return rows.length > 0 && rows.every(([, to = '']) => to.includes('health.example.org'));
  });
  await page.keyboard.press('Control+A');
  await page.keyboard.press('Delete');
  await eventually(async () => (await shownRows(page, 'ended-rows')).length === 25);
  await page.keyboard.press('Tab');
  t.is(await focused(), 'outcome');
  await page.locator('#older').focus();
  await page.keyboard.press('Enter');
  await eventually(
    async () => (await page.locator('#ended-note').textContent())?.startsWith('26–50') === true,
  );
  t.is(await focused(), 'older');
  await page.locator('#newer').focus();
  await page.keyboard.press('Enter');
  await eventually(
    async () => (await page.locator('#ended-note').textContent())?.startsWith('1–25') === true,
  );
  t.is(await focused(), 'older', 'a button that has no further use hands the focus on');
  await page.locator('#apps button').first().focus();
  await page.keyboard.press('Space');
  await page.locator('.chip').waitFor();
  t.is(await page.locator('#apps button[aria-pressed=true]').count(), 1);
  t.regex(await focused(), /energy-monitor/, 'the button that was pressed has the focus still');
});

for (const [name, options] of [
  ['in light', { colorScheme: 'light' }],
  ['in dark', { colorScheme: 'dark' }],
  ['on a phone', phone],
] as const) {
  withBrowser(`axe finds nothing that shuts people out, ${name}`, async (t) => {
    const ledger = sampleLedger({ count: 400, spanMs: 24 * 3_600_000 });
    addOpen(ledger);
    const admin = await startAdmin(ledger);
    t.teardown(admin.close);
    // The content security policy lets no script in, not even this one.
    const { page } = await open(t, admin.url, { ...options, bypassCSP: true });
    await page.locator('#apps button').first().click();
    await page.locator('.chip').waitFor();
    await page.locator('summary').click();
    await page.evaluate(axe);
    const results = await page.evaluate<AxeResults>('axe.run(document, { resultTypes: ["violations"] })');
    const found = results.violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`,
    );
    t.deepEqual(found, []);
    t.true(results.passes.length > 20);
    const width: number = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
    t.is(width, 0, 'nothing is wider than the window');
  });
}

/** How long it takes from nothing to the first page of exports. */
async function openingMs(
  t: Cleanup,
  ledger: Ledger,
): Promise<{ readonly tookMs: number; readonly page: Page }> {
  const admin = await startAdmin(ledger);
  t.teardown(admin.close);
  const browser = await (started ??= startBrowser());
  const page = await browser.newPage();
  t.teardown(() => page.close());
  const begunAtMs = performance.now();
  await page.goto(admin.url);
  await page.locator('#ended-rows tr').nth(24).waitFor();
  return { tookMs: performance.now() - begunAtMs, page };
}

withBrowser('a record of 100,000 exports opens in under a second, and can be searched', async (t) => {
  const full = sampleLedger({ count: 111_000, spanMs: 24 * 3_600_000 });
  t.true(full.figures().held >= 100_000);
  // What the browser itself takes, on a machine that may have other things to do: the two are compared side by side.
  const few = sampleLedger({ count: 50, spanMs: 3_600_000 });
  const isQuick = (large: number, small: number): boolean => large < Math.max(1000, 2 * small);
  let [small, large] = [await openingMs(t, few), await openingMs(t, full)];
  for (let again = 1; again < 5 && !isQuick(large.tookMs, small.tookMs); again += 1) {
    [small, large] = [await openingMs(t, few), await openingMs(t, full)];
  }
  t.log(`${Math.round(large.tookMs)} ms; with 50 exports ${Math.round(small.tookMs)} ms`);
  t.true(isQuick(large.tookMs, small.tookMs));
  const { page } = large;
  t.true((await page.locator('*').count()) < 2000, 'the document stays small');
  await page.locator('#q').fill('no such thing anywhere');
  await page.getByText('Nothing in the record fits this.').waitFor();
});

withBrowser('when the relay goes, the page says so and keeps what it shows', async (t) => {
  const ledger = sampleLedger({ count: 10, spanMs: 60_000 });
  const admin = await startAdmin(ledger);
  const { page } = await open(t, admin.url);
  t.is(await page.locator('#connection').textContent(), 'Live');
  await admin.close();
  await eventually(
    async () => (await page.locator('#connection').textContent())?.startsWith('Not connected') === true,
  );
  t.is((await shownRows(page, 'ended-rows')).length > 0, true);
});

if (!hasBrowser)
  test.skip('/usr/bin/chromium is not installed, so the page is not tested in a browser', (t) => t.fail());
