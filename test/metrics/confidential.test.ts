import test from 'ava';
import { documentedLines } from '../helpers/operating.js';
import { type MixedLoad, markers, runMixedLoad } from '../helpers/mixed_load.js';
import { secret } from '../helpers/relay.js';

/** One load for all tests of this file; its relay runs until they are done. */
const releases: (() => unknown)[] = [];
let load: MixedLoad;
test.before(async () => {
  load = await runMixedLoad({ teardown: (release) => void releases.unshift(release) });
});
test.after.always(async () => {
  for (const release of releases) await release();
});

test('at level trace neither log nor metrics hold anything of what was exported, nor what opens it', async (t) => {
  const { relay, macaroons } = load;
  const { body: metrics } = await relay.service.metrics();
  const credentials = macaroons.flatMap((macaroon) => [macaroon, macaroon.slice(-40)]);
  for (const marker of [...Object.values(markers), ...credentials, secret, 'receiver.example']) {
    t.false(relay.log.includes(marker), `${marker} is in the log`);
    t.false(metrics.includes(marker), `${marker} is in the metrics`);
  }
  // No owner, no destination, no id either, which the log has.
  for (const word of [
    'the app',
    'inside',
    '127.0.0.1',
    ...relay.logged('job').map((line) => String(line['job_id'])),
  ]) {
    t.true(relay.log.includes(word), `${word} is not in the log`);
    t.false(metrics.includes(word), `${word} is in the metrics`);
  }
});

test('each line is of a documented kind and has documented fields, and each of these is seen', (t) => {
  const documented = documentedLines();
  const seen = new Map<string, Set<string>>();
  for (const text of load.relay.log.trim().split('\n')) {
    const { level, time, msg, ...fields } = JSON.parse(text) as Record<string, unknown>;
    t.is(typeof level, 'string');
    t.regex(String(time), /^\d{4}-.*Z$/);
    const kind = String(msg);
    const known = seen.get(kind) ?? new Set();
    seen.set(kind, known);
    for (const field of Object.keys(fields)) {
      t.true(documented.get(kind)?.has(field), `${kind} has a field ${field}`);
      known.add(field);
    }
  }
  for (const kind of ['request', 'attempt', 'job', 'unreachable', 'websocket']) {
    t.deepEqual([...(seen.get(kind) ?? [])].sort(), [...(documented.get(kind) ?? [])].sort(), kind);
  }
});

test('every attempt has a line, and every job and request one', (t) => {
  const { relay } = load;
  const jobs = relay.logged('job');
  t.is(jobs.length, 10);
  const attempts = relay.logged('attempt');
  for (const { job_id: id, attempts: made } of jobs) {
    t.is(attempts.filter(({ job_id: of }) => of === id).length, Number(made));
  }
  const ids = relay.logged('request').map(({ request_id: id }) => id);
  t.is(new Set(ids).size, ids.length);
});

test("a destination's failure is no warning; a name that leads inside is one", (t) => {
  for (const line of load.relay.logged('attempt')) {
    t.is(line['level'], line['rule'] === undefined ? 'info' : 'warn');
  }
  t.like(
    load.relay.logged('attempt').find(({ level }) => level === 'warn'),
    {
      code: 'dns_failed',
      rule: 'private',
      destination: 'http://inside.example',
      owner: 'the app',
    },
  );
});
