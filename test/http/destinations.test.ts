import test from 'ava';
import { parseDestination } from '#relay/egress/destination.js';
import { type UrlCase, destinationCases } from '../helpers/destination_cases.js';
import { eventually } from '../helpers/eventually.js';
import { startRelay } from '../helpers/relay.js';
import { type Answer, stubResolver } from '../helpers/resolver.js';

const { urls, dns } = destinationCases();
const production = true;

/** Names that stand for public places; all others are names of the inside. */
const publicNames: ReadonlySet<string> = new Set(['good.example', 'xn--fa-hia.de']);
const publicAddress = '93.184.216.34';
const insideAddress = '10.0.0.5';

/** Whether what is refused about a row shows only once its name has been resolved. */
function isRefusedByItsAddress({ url, verdict }: UrlCase): boolean {
  const parsed = parseDestination(url);
  if (verdict !== 'refused' || !parsed.ok || parsed.destination.protocol === 'http:') return false;
  const { address, host } = parsed.destination;
  return address === undefined && !/(?:^|\.)localhost$/.test(host);
}

function lookupFor(host: string): ReturnType<ReturnType<typeof stubResolver>['lookup']> {
  return stubResolver([publicNames.has(host) ? publicAddress : insideAddress]).lookup(host);
}

const statusOf = { allowed: 200, refused: 403, invalid: 400 } as const;

test('every URL gets its verdict from a dry run', async (t) => {
  const relay = await startRelay(t, [], { production, lookup: lookupFor });
  for (const row of urls) {
    const { status } = await relay.post('/export?dry_run=1', { id: '', uri: row.url, data: '{}' });
    if (row.verdict === 'either') t.true([200, 400, 403].includes(status), row.id);
    else t.is(status, statusOf[row.verdict], `${row.id} ${row.url}: ${row.why}`);
  }
});

test('every URL gets its verdict from a real submission', async (t) => {
  // One name that never resolves holds the only slot, so that what is accepted does not leave for the public.
  const lookup = (host: string): ReturnType<typeof lookupFor> =>
    host === 'slow.example' ? new Promise(() => undefined) : lookupFor(host);
  const relay = await startRelay(t, ['--concurrency=1'], { production, lookup });
  await relay.submit('https://slow.example/');
  await eventually(() => relay.service.stats().running === 1);
  for (const row of urls) {
    const { status } = await relay.submit(row.url);
    if (row.verdict === 'either') t.true([200, 400, 403].includes(status), row.id);
    else
      t.is(
        status,
        isRefusedByItsAddress(row) ? 200 : statusOf[row.verdict],
        `${row.id} ${row.url}: ${row.why}`,
      );
  }
});

test('a name of the inside is accepted, fails like a name that does not exist, and reaches nothing', async (t) => {
  const rows = urls.filter(isRefusedByItsAddress);
  t.true(rows.length > 10);
  const relay = await startRelay(t, ['--attempts=1'], { production, lookup: lookupFor });
  for (const row of rows) {
    const { json } = await relay.submit(row.url);
    const { ext_response } = await relay.finished(json.id);
    t.like(ext_response, { status: '502 Bad Gateway', body: '', error: { code: 'dns_failed' } }, row.id);
    t.false(JSON.stringify(ext_response).includes(insideAddress));
  }
});

for (const { name, answers, verdict, why } of dns) {
  const script = answers.map((answer): Answer => {
    if (typeof answer !== 'string')
      return answer.filter((text) => !text.startsWith('CNAME') && !text.startsWith('<'));
    return answer === 'never answers' ? answer : { code: answer };
  });
  const isAllowed = verdict.startsWith('allow') && verdict !== 'allow-if-operator-lists';
  const isSlow = verdict === 'fail-timeout';

  test(`a dry run to ${name} is ${isAllowed || verdict.startsWith('block-') ? 'good' : 'refused'}: ${why}`, async (t) => {
    const { lookup } = stubResolver(...script);
    const relay = await startRelay(t, ['--attempt-timeout=500ms'], { production, lookup });
    const ask = async (): Promise<number> =>
      (await relay.post('/export?dry_run=1', { id: '', uri: `https://${name}/`, data: '{}' })).status;
    const expected = { 'block-second': [200, 403], 'block-third': [200, 200, 403] }[verdict] ?? [
      isAllowed ? 200 : 403,
    ];
    for (const status of expected) t.is(await ask(), status);
  });

  if (isAllowed || verdict.startsWith('block-')) continue;
  test(`an export to ${name} ends as ${isSlow ? 'timeout' : 'dns_failed'}, and its answer does not tell why`, async (t) => {
    const { lookup } = stubResolver(...script);
    const relay = await startRelay(t, ['--attempts=1', '--attempt-timeout=500ms'], { production, lookup });
    const { json } = await relay.submit(`https://${name}/`);
    const { ext_response } = await relay.finished(json.id);
    t.is(ext_response.error?.code, isSlow ? 'timeout' : 'dns_failed');
    const unknown = await startRelay(t, ['--attempts=1', '--attempt-timeout=500ms'], {
      production,
      lookup: stubResolver({ code: 'ENOTFOUND' }).lookup,
    });
    const other = await unknown.submit(`https://${name}/`);
    if (!isSlow) t.deepEqual(ext_response, (await unknown.finished(other.json.id)).ext_response);
  });
}

test('a network that the operator lists may be reached by name', async (t) => {
  const row = dns.find(({ verdict }) => verdict === 'allow-if-operator-lists');
  const [addresses = []] = row?.answers ?? [];
  const { lookup } = stubResolver(typeof addresses === 'string' ? [] : addresses);
  const relay = await startRelay(t, ['--allow-network=192.168.1.0/24'], { production, lookup });
  t.is(
    (await relay.post('/export?dry_run=1', { id: '', uri: `https://${row?.name ?? ''}/`, data: '{}' }))
      .status,
    200,
  );
});
