import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ExportAbortedError, type ExportClientOptions } from '#relay/client/index.js';
import { ScriptedFetch, clientOf, jobAnswer } from '../helpers/client.js';
import { type Cut, hurriedClock, startCuttingProxy } from '../helpers/cutting_proxy.js';
import { eventually } from '../helpers/eventually.js';
import { freePort } from '../helpers/free_port.js';
import { startRelay } from '../helpers/relay.js';
import { RelayProcess } from '../helpers/relay_process.js';
import { startDestination } from '../helpers/scripted_destination.js';

/** Back-offs pass quickly, and nothing runs out of time on a slow machine. */
const hurried: Partial<ExportClientOptions> = {
  clock: hurriedClock,
  requestTimeoutMs: 3_000_000,
  maxOutageMs: 3_000_000,
  timeoutMs: 6_000_000,
};

/** Runs a task for each number below a bound, a few at a time. */
async function forEach(number: number, task: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < number) await task(next++);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}

/** A relay behind a proxy that cuts the first answer to each client after as many bytes as the client's name says. */
async function openCutting(t: ExecutionContext, by: 'reset' | 'end') {
  const destination = await startDestination(t);
  const relay = await startRelay(t, ['--lane-concurrency=8', '--max-queued-per-lane=5000']);
  const plan = (name: string, times: number): Cut =>
    times === 1 && name !== 'whole' ? { afterBytes: Number(name), by } : 'whole';
  const proxy = await startCuttingProxy(t, relay, plan);
  const clientOn = (name: string) => clientOf({ url: proxy.urlFor(name) }, hurried);
  return { destination, relay, proxy, clientOn };
}

test('a submission whose answer is cut by a reset at any byte is one delivery', async (t) => {
  const { destination, relay, proxy, clientOn } = await openCutting(t, 'reset');
  await clientOn('whole').submit(destination.url, { at: 'whole' });
  // One more than the last byte: what is whole by then needs no second submission.
  const cuts = proxy.longestAnswer() + 1;
  const ids = new Set<string>();
  await forEach(cuts, async (at) => {
    ids.add((await clientOn(String(at)).submit(destination.url, { at })).id);
  });
  t.is(ids.size, cuts);
  await eventually(() => relay.service.stats().finished === cuts + 1);
  t.is(destination.arrivals.length, cuts + 1);
  t.is(new Set(destination.arrivals.map(({ body }) => body.toString())).size, cuts + 1);
  t.is(relay.logged('request').filter(({ route }) => route === '/export').length, cuts * 2);
});

test('a wait whose answer ends early, wherever, ends with the whole answer', async (t) => {
  const { destination, proxy, clientOn } = await openCutting(t, 'end');
  destination.script = (_arrival, response) => response.end('the whole answer, äöü');
  const job = await clientOn('whole').submit(destination.url, {});
  await clientOn('whole').wait(job.id);
  await forEach(Math.ceil(proxy.longestAnswer() / 4), async (index) => {
    const at = index * 4;
    const answer = await clientOn(String(at)).wait(job.id);
    if (answer.text() !== 'the whole answer, äöü') t.fail(`cut at ${at}: ${answer.text()}`);
  });
  t.is(destination.arrivals.length, 1);
});

test('a call that is aborted at any byte of the answer ends at once and keeps no connection', async (t) => {
  const destination = await startDestination(t);
  const relay = await startRelay(t, ['--lane-concurrency=8']);
  const plan = (name: string): Cut => ({ afterBytes: Number(name), by: 'silence' });
  const proxy = await startCuttingProxy(t, relay, plan);
  for (let at = 0; at < 500; at += 29) {
    const controller = new AbortController();
    const call = clientOf({ url: proxy.urlFor(String(at)) }).submit(destination.url, { at }, controller);
    const accepted = proxy.accepted();
    const error = t.throwsAsync(call, { instanceOf: ExportAbortedError });
    if (at % 2 === 0) await eventually(() => proxy.accepted() > accepted);
    controller.abort();
    await error;
  }
  await eventually(() => proxy.open() === 0);
  t.true(destination.arrivals.length <= 18);
});

test('a call that is aborted after any number of turns ends, and leaves neither timers nor listeners', async (t) => {
  const destination = await startDestination(t, () => undefined);
  const relay = await startRelay(t, ['--lane-concurrency=100']);
  let timers = 0;
  const clock = {
    monotonicMs: () => performance.now(),
    after: (delayMs: number, callback: () => void) => {
      timers += 1;
      let armed = true;
      const disarm = (): void => {
        if (armed) timers -= 1;
        armed = false;
        clearTimeout(timer);
      };
      const timer = setTimeout(() => {
        disarm();
        callback();
      }, delayMs);
      return disarm;
    },
  };
  const client = clientOf(relay, { clock });
  for (let turns = 0; turns < 25; turns += 1) {
    const controller = new AbortController();
    const call = t.throwsAsync(client.export(destination.url, { turns }, controller), {
      instanceOf: ExportAbortedError,
    });
    for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    await call;
    t.is(timers, 0);
  }
  await eventually(() => relay.service.stats().waiters === 0);
});

test('a lane that is full delays a submission, and nothing is lost or doubled', async (t) => {
  const destination = await startDestination(
    t,
    (_arrival, response) => void setTimeout(() => response.end(), 5),
  );
  const relay = await startRelay(t, ['--max-queued-per-lane=2']);
  const client = clientOf(relay, hurried);
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, index) => client.export(destination.url, { index })),
  );
  t.true(answers.every(({ ok }) => ok));
  t.is(new Set(destination.arrivals.map(({ body }) => body.toString())).size, 12);
  t.is(destination.arrivals.length, 12);
  t.true(relay.logged('request').some(({ code }) => code === 'lane_full'));
});

test('a relay that is away between submission and answer is waited for', async (t) => {
  const destination = await startDestination(t, () => undefined);
  const relay = await startRelay(t);
  let isAway = false;
  const plan = (): Cut => (isAway ? { afterBytes: 0, by: 'reset' } : 'whole');
  const proxy = await startCuttingProxy(t, relay, plan);
  let retries = 0;
  const client = clientOf(
    { url: proxy.urlFor('away') },
    {
      ...hurried,
      onRetry: () => {
        retries += 1;
        // It is back after a while, and its jobs with it.
        if (retries === 3) isAway = false;
      },
    },
  );
  const export_ = client.export(
    destination.url,
    {},
    {
      onState: ({ state }) => {
        isAway = state === 'Processing';
      },
    },
  );
  destination.script = (_arrival, response) => response.end('done');
  await destination.arrived(1);
  t.is((await export_).text(), 'done');
  t.is(destination.arrivals.length, 1);
});

test('calls one after another leave nothing on the signal they share', async (t) => {
  const counts = { added: 0, removed: 0 };
  const signal = {
    aborted: false,
    addEventListener: () => void (counts.added += 1),
    removeEventListener: () => void (counts.removed += 1),
  };
  const relay = new ScriptedFetch([jobAnswer('Pending', 1), jobAnswer('Finished', 2)]);
  for (let times = 0; times < 20; times += 1) {
    await relay.run(relay.client.export('https://a.example/', {}, { signal }));
  }
  t.deepEqual(counts, { added: 20, removed: 20 });
});

test('a relay with a journal that restarts between submission and answer delivers once, and the wait goes on', async (t) => {
  const journal = mkdtempSync(join(tmpdir(), 'client-journal-'));
  t.teardown(() => rmSync(journal, { recursive: true, force: true }));
  const destination = await startDestination(t);
  const flags = [`--journal=${journal}`, `--port=${await freePort()}`];
  const first = await startRelay(t, flags);
  const client = clientOf(first, hurried);
  const job = await client.submit(destination.url, {}, { idempotencyKey: 'once' });
  await client.wait(job.id);
  await first.service.stop(0);
  const waiting = client.wait(job.id);
  const again = client.submit(destination.url, {}, { idempotencyKey: 'once' });
  await startRelay(t, flags);
  t.is((await waiting).text(), 'ok');
  t.is((await again).id, job.id);
  t.is(destination.arrivals.length, 1);
});

for (const state of ['Pending', 'Processing'] as const) {
  test(`a relay with a journal that is killed while the job is ${state} delivers it with one key, and the call goes on`, async (t) => {
    const journal = mkdtempSync(join(tmpdir(), 'client-journal-'));
    t.teardown(() => rmSync(journal, { recursive: true, force: true }));
    const destination = await startDestination(t, () => undefined);
    const options = { journal, flags: [`--port=${await freePort()}`, '--admin=127.0.0.1:0'] };
    const relay = await RelayProcess.start(t, options);
    const client = clientOf(relay, hurried);
    if (state === 'Pending') {
      // Ahead of it in its lane.
      await client.submit(destination.url, { number: 1 });
      await destination.arrived(1);
    }
    let reached: () => void = () => undefined;
    const inState = new Promise<void>((resolve) => (reached = resolve));
    const answer = client.export(
      destination.url,
      { number: 2 },
      {
        onState: (job) => job.state === state && reached(),
      },
    );
    await inState;
    if (state === 'Processing') await destination.arrived(1);
    await relay.kill();
    destination.script = (_arrival, response) => response.end('ok');
    await RelayProcess.start(t, options);
    t.is((await answer).text(), 'ok');
    const mine = destination.arrivals.filter(({ body }) => body.toString() === '{"number":2}');
    t.is(mine.length, state === 'Pending' ? 1 : 2);
    t.is(new Set(mine.map(({ headers }) => headers['idempotency-key'])).size, 1);
  });
}
