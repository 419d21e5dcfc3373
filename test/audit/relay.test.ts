import { readFileSync } from 'node:fs';
import { mkdir, rmdir } from 'node:fs/promises';
import test from 'ava';
import { loadPublicKey } from '#relay/audit/keys.js';
import { verifyFiles } from '#relay/audit/verify_files.js';
import { problems } from '../helpers/audit.js';
import { auditPath, readLines } from '../helpers/audit_files.js';
import { eventually } from '../helpers/eventually.js';
import { samplesOf } from '../helpers/metrics.js';
import { mintWith, type RelayUnderTest, startRelay } from '../helpers/relay.js';
import { startDestination } from '../helpers/scripted_destination.js';

const data = '{"clear":"text"}';

async function metricsOf(relay: RelayUnderTest): Promise<ReadonlyMap<string, number>> {
  return samplesOf((await relay.service.metrics()).body);
}

async function ofKind(path: string, kind: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  return (await readLines(path)).filter((line) => line['kind'] === kind);
}

test('whoever reads that an export has finished finds it on record, and nothing of its content', async (t) => {
  const path = await auditPath(t);
  const relay = await startRelay(t, [`--audit=${path}`]);
  let before = '';
  const destination = await startDestination(t, (_request, response) => {
    before = readFileSync(path, 'utf8');
    response.end('{}');
  });
  const macaroon = mintWith({ identifier: 'app' });
  const headers = { 'content-type': 'application/json' };
  const { json } = await relay.post(
    '/export',
    { id: '', uri: `${destination.url}?token=in-the-clear`, data, purpose: 'backup', headers },
    { macaroon },
  );
  const answer = await relay.finished(json.id, { macaroon });
  const [line, ...others] = await ofKind(path, 'export');
  t.deepEqual(others, []);
  t.like(line, {
    job: json.id,
    owner: 'app',
    destination: new URL(destination.url).origin,
    purpose: 'backup',
    bytes: data.length,
    attempts: 1,
    status: 200,
    left: 'yes',
    address: '127.0.0.1',
  });
  t.regex(before, /"kind":"leaving"/);
  t.notRegex(JSON.stringify(await readLines(path)), /clear/);
  // The address is for the record alone.
  t.notRegex(JSON.stringify(answer.ext_response), /127\.0\.0\.1/);
});

test('what was refused is on record, before it was queued and when it was to be connected', async (t) => {
  const path = await auditPath(t);
  const relay = await startRelay(t, [`--audit=${path}`], {
    lookup: () => Promise.resolve([{ address: '169.254.169.254', family: 4 }]),
  });
  await relay.submit('http://169.254.169.254/', data);
  const { json } = await relay.submit('http://metadata.example/', data);
  await relay.finished(json.id);
  await eventually(async () => (await ofKind(path, 'refused')).length === 1);
  t.like((await ofKind(path, 'refused'))[0], { code: 'destination_refused', rule: 'link_local' });
  t.like((await ofKind(path, 'export'))[0], { code: 'dns_failed', reason: 'link_local', left: 'no' });
});

test('each attempt after another reaches the record, which counts them', async (t) => {
  const path = await auditPath(t);
  const relay = await startRelay(t, [`--audit=${path}`, '--attempts=3'], { random: () => 0 });
  let count = 0;
  const destination = await startDestination(t, (_request, response) => {
    count += 1;
    response.writeHead(count < 3 ? 503 : 201).end();
  });
  await relay.finished((await relay.submit(destination.url, data)).json.id);
  t.is((await ofKind(path, 'leaving')).length, 1);
  t.like((await ofKind(path, 'export'))[0], { attempts: 3, status: 201 });
});

test('a stop ends the record so that every line is covered', async (t) => {
  const path = await auditPath(t);
  const relay = await startRelay(t, [`--audit=${path}`]);
  const destination = await startDestination(t, () => undefined);
  const { json } = await relay.submit(destination.url, data);
  await destination.arrived(1);
  await relay.service.stop(0);
  t.like((await ofKind(path, 'unfinished'))[0], { job: json.id });
  const key = await loadPublicKey(`${path}.pub`);
  if (!key.ok) throw new Error(key.detail);
  const report = await verifyFiles(path, { key: key.key });
  t.deepEqual(problems(report), []);
  t.is(report.uncovered, 0);
});

test('a relay whose record cannot be used does not start', async (t) => {
  const path = await auditPath(t);
  await startRelay(t, [`--audit=${path}`]);
  await t.throwsAsync(startRelay(t, [`--audit=${path}`]), { message: /in use by another process/ });
});

test('a dry run says that the record cannot be written, as a submission would, until it can be', async (t) => {
  const path = await auditPath(t);
  const [relay, destination] = [
    await startRelay(t, [`--audit=${path}`, '--audit-max-size=64kb']),
    await startDestination(t),
  ];
  const dryRun = () => relay.post('/export?dry_run=true', { id: '', uri: destination.url, data });
  t.is((await dryRun()).status, 200);
  // In the way of the next file of the record.
  await mkdir(`${path}.1/x`, { recursive: true });
  // Long lines fill the file sooner.
  const job = { id: '', uri: destination.url, data, purpose: 'p'.repeat(200) };
  const macaroon = mintWith({ identifier: 'o'.repeat(256) });
  const submit = async () => (await relay.post('/export', job, { macaroon })).json.code;
  await eventually(async () => (await submit()) === 'storage_unavailable', 20_000);
  const refused = await dryRun();
  t.is(refused.status, 503);
  t.is(refused.json.code, 'storage_unavailable');
  t.is((await metricsOf(relay)).get('export_relay_audit_writable'), 0);
  await rmdir(`${path}.1/x`);
  await rmdir(`${path}.1`);
  await eventually(async () => (await dryRun()).status === 200);
  const samples = await metricsOf(relay);
  t.is(samples.get('export_relay_audit_writable'), 1);
  t.true((samples.get('export_relay_audit_write_failures_total') ?? 0) > 0);
  t.true((samples.get('export_relay_audit_write_duration_seconds_count') ?? 0) > 2);
  t.true((samples.get('export_relay_audit_lines_total') ?? 0) > 50);
  t.true((samples.get('export_relay_audit_bytes_total') ?? 0) > 64 * 1024);
});
