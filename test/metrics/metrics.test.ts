import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { RequestReport } from '#relay/http/app.js';
import { finish, startAttempt } from '#relay/job/job.js';
import { answered, destination, failedWith } from '../helpers/jobs.js';
import { idle, metricsUnderTest, samplesOf } from '../helpers/metrics.js';
import { pending } from '../helpers/stored_jobs.js';
import { mint, startRelay } from '../helpers/relay.js';
import { startDestination } from '../helpers/scripted_destination.js';
import { openSocket } from '../helpers/sockets.js';

function report(changes: Partial<RequestReport> = {}): RequestReport {
  return {
    requestId: 'r',
    method: 'POST',
    route: '/export',
    status: 200,
    durationMs: 3,
    level: 'info',
    failure: undefined,
    job: undefined,
    subject: {},
    ...changes,
  };
}

test('requests are counted by route, status and code, and timed by route', async (t) => {
  const metrics = metricsUnderTest();
  metrics.onRequest(report());
  metrics.onRequest(report({ durationMs: 30 }));
  metrics.onRequest(report({ route: 'other', status: 404, failure: { code: 'not_found', detail: '' } }));
  const samples = samplesOf((await metrics.render()).body);
  t.is(samples.get('export_relay_requests_total{route="/export",status="200",code="ok"}'), 2);
  t.is(samples.get('export_relay_requests_total{route="other",status="404",code="not_found"}'), 1);
  const duration = 'export_relay_request_duration_seconds';
  t.is(samples.get(`${duration}_bucket{le="0.0025",route="/export"}`), 0);
  t.is(samples.get(`${duration}_bucket{le="0.005",route="/export"}`), 1);
  t.is(samples.get(`${duration}_bucket{le="+Inf",route="/export"}`), 2);
  t.is(samples.get(`${duration}_sum{route="/export"}`), 0.033);
  t.is(samples.get(`${duration}_count{route="other"}`), 1);
});

test('a job is counted as it comes, waits, leaves and ends', async (t) => {
  const metrics = metricsUnderTest();
  const job = pending('{"steps":1}');
  const begun = startAttempt(job, job.createdAtMs + 200);
  const outcome = answered(503);
  if (outcome.kind !== 'answered') throw new Error('not answered');
  metrics.onChange(job);
  metrics.onChange(begun);
  metrics.onAttempt({ job: begun, outcome: failedWith('timeout'), durationMs: 40, retryInMs: 10 });
  const again = startAttempt(begun, begun.updatedAtMs + 50_000);
  metrics.onChange(again);
  metrics.onAttempt({ job: again, outcome, durationMs: 4, retryInMs: undefined });
  const ended = finish(again, outcome, again.updatedAtMs + 4);
  metrics.onChange(ended);
  metrics.onFinished(ended);
  const samples = samplesOf((await metrics.render()).body);
  for (const [name, value] of [
    ['jobs_accepted_total', 1],
    ['accepted_bytes_total', 11],
    ['delivered_bytes_total', 11],
    ['retries_total', 1],
    ['queue_wait_seconds_count', 1],
    ['queue_wait_seconds_sum', 0.2],
    ['attempt_duration_seconds_count{outcome="timeout"}', 1],
    ['attempt_duration_seconds_count{outcome="5xx"}', 1],
    ['jobs_finished_total{outcome="5xx"}', 1],
    ['jobs_finished_total{outcome="timeout"}', 0],
  ] as const) {
    t.is(samples.get(`export_relay_${name}`), value, name);
  }
});

test('a clock that was set back makes no wait shorter than none', async (t) => {
  const metrics = metricsUnderTest();
  const job = pending();
  metrics.onChange(startAttempt(job, job.createdAtMs - 5000));
  const samples = samplesOf((await metrics.render()).body);
  t.is(samples.get('export_relay_queue_wait_seconds_sum'), 0);
  t.is(samples.get('export_relay_queue_wait_seconds_count'), 1);
});

test('refusals are counted by rule and stage, and nothing else becomes a rule', async (t) => {
  const metrics = metricsUnderTest();
  const job = pending();
  const refusal = { owner: '', destination: destination(), purpose: '', dataBytes: 2, dataSha256: () => '' };
  const refused = (rule: string): void =>
    metrics.onRefusal({ ...refusal, failure: { code: 'destination_refused', detail: '', rule } });
  refused('http');
  refused('require_destination');
  refused('a rule that nobody made');
  metrics.onRefusal({ ...refusal, failure: { code: 'caveat_not_satisfied', detail: '', caveat: '' } });
  metrics.onUnreachable(destination(), 'private');
  metrics.onUnreachable(destination(), 'ENOTFOUND');
  const error = { code: 'dns_failed', message: '', rule: 'private' } as const;
  metrics.onAttempt({ job, outcome: { kind: 'failed', error }, durationMs: 1, retryInMs: undefined });
  const { body } = await metrics.render();
  const counted = [...samplesOf(body)].filter(
    ([name, value]) => name.startsWith('export_relay_refusals') && value > 0,
  );
  t.deepEqual(counted.map(([name]) => name.replace('export_relay_refusals_total', '')).sort(), [
    '{stage="attempt",rule="private"}',
    '{stage="dry_run",rule="private"}',
    '{stage="submission",rule="http"}',
    '{stage="submission",rule="other"}',
    '{stage="submission",rule="require_destination"}',
  ]);
});

test('statuses that belong to no class, and codes of systems we do not know, have one label together', async (t) => {
  const metrics = metricsUnderTest();
  const job = pending();
  for (const status of [700, 999]) {
    metrics.onAttempt({ job, outcome: answered(status), durationMs: 1, retryInMs: undefined });
  }
  for (const code of ['EMFILE', 'EWEIRD', 'EODD']) metrics.onRefused(code);
  const samples = samplesOf((await metrics.render()).body);
  t.is(samples.get('export_relay_attempt_duration_seconds_count{outcome="other"}'), 2);
  t.is(samples.get('export_relay_connections_refused_total{reason="other"}'), 2);
  t.is(samples.get('export_relay_connections_refused_total{reason="EMFILE"}'), 1);
});

test('bugs, commits of the journal and lost log lines are counted', async (t) => {
  const metrics = metricsUnderTest({ lost: 7 });
  metrics.onBug();
  metrics.observeJournalCommit(20);
  for (let scrape = 0; scrape < 2; scrape += 1) {
    const samples = samplesOf((await metrics.render()).body);
    t.is(samples.get('export_relay_bugs_total'), 1);
    t.is(samples.get('export_relay_log_lines_lost_total'), 7);
    t.is(samples.get('export_relay_journal_commit_duration_seconds_sum'), 0.02);
  }
});

test('gauges show the moment of the scrape', async (t) => {
  const stats = { ...idle.stats, pending: 3, processing: 2, finished: 9, lanes: 2, running: 1, bytes: 100 };
  const figures = { ...idle, stats, webSockets: 4, clientConnections: 5, destinationConnections: 6 };
  const samples = samplesOf((await metricsUnderTest({ figures }).render()).body);
  t.is(samples.get('export_relay_jobs{state="pending"}'), 3);
  t.is(samples.get('export_relay_jobs{state="finished"}'), 9);
  t.is(samples.get('export_relay_attempts_in_flight'), 1);
  t.is(samples.get('export_relay_memory_budget_used_bytes'), 100);
  t.is(samples.get('export_relay_memory_budget_limit_bytes'), 1 << 28);
  t.is(samples.get('export_relay_websockets'), 4);
  t.is(samples.get('export_relay_connections{side="destination"}'), 6);
});

test('a relay tells what it does, on its admin listener too', async (t) => {
  const target = await startDestination(t, () => undefined);
  const relay = await startRelay(t, ['--admin=127.0.0.1:0']);
  const socket = await openSocket(t, relay);
  await relay.submit(target.url, '{"a":1}');
  await target.arrived(1);
  const held = new AbortController();
  const { json } = await relay.submit(target.url, '{}');
  const poll = relay.post('/lp/export?until=Finished&timeout=50', { id: json.id }, { signal: held.signal });
  poll.catch(() => undefined);
  await socket.ask({ id: '', uri: 'http://169.254.1.1/', data: '{}' });
  const answer = await fetch(`${relay.service.adminUrl ?? ''}/metrics`);
  t.is(answer.status, 200);
  t.regex(answer.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  const samples = samplesOf(await answer.text());
  for (const [name, value] of [
    ['jobs{state="pending"}', 1],
    ['jobs{state="processing"}', 1],
    ['lanes', 1],
    ['attempts_in_flight', 1],
    ['websockets', 1],
    ['waiters', 1],
    ['secret_known', 1],
    ['jobs_accepted_total', 2],
    ['accepted_bytes_total', 9],
    ['requests_total{route="/export",status="200",code="ok"}', 2],
    ['requests_total{route="/ws/export",status="101",code="ok"}', 1],
    ['requests_total{route="/ws/export",status="403",code="destination_refused"}', 1],
    ['refusals_total{stage="submission",rule="link_local"}', 1],
    ['connections{side="destination"}', 1],
  ] as const) {
    t.is(samples.get(`export_relay_${name}`), value, name);
  }
  t.true((samples.get('export_relay_connections{side="client"}') ?? 0) >= 2);
  t.true((samples.get('export_relay_memory_budget_used_bytes') ?? 0) > 9);
  held.abort();
});

test('each commit of the journal is timed', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'export-relay-metrics-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const target = await startDestination(t);
  const relay = await startRelay(t, [`--journal=${directory}`]);
  const { json } = await relay.submit(target.url);
  await relay.finished(json.id);
  const samples = samplesOf((await relay.service.metrics()).body);
  // Accepted, begun and ended; the end is shown once it is written.
  t.is(samples.get('export_relay_journal_commit_duration_seconds_count'), 3);
  t.true((samples.get('export_relay_journal_commit_duration_seconds_sum') ?? 0) > 0);
});

test('no client can make a series of its own', async (t) => {
  const relay = await startRelay(t);
  const seriesNow = async (): Promise<number> => samplesOf((await relay.service.metrics()).body).size;
  const strange = async (n: number): Promise<void> => {
    await relay.post(`/odd-${n}?${n}`, {}, { method: n % 2 === 0 ? 'PUT' : 'POST' });
    await relay.post('/export', { id: `id-${n}` }, { macaroon: mint(`caveat-${n}`) });
    await relay.submit(`http://169.254.1.${n}:${n + 1000}/`, '{}', { macaroon: mint() });
  };
  await strange(1);
  const before = await seriesNow();
  for (let n = 2; n < 12; n += 1) await strange(n);
  t.is(await seriesNow(), before);
});
