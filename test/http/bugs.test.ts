import test from 'ava';
import { systemClock } from '#relay/clock.js';
import { Exports } from '#relay/http/exports.js';
import { type AppOptions, createApp, type RequestReport } from '#relay/http/app.js';
import { IncomingBodies } from '#relay/http/incoming.js';
import { UnreadAnswers } from '#relay/http/unread.js';
import { JobViews } from '#relay/http/view.js';
import { createBoundedServer } from '#relay/http/server.js';
import type { Job } from '#relay/job/job.js';
import { MacaroonVerifier } from '#relay/macaroon/verify.js';
import { accept, createRegistry } from '../helpers/jobs.js';
import { listenOnLoopback } from '../helpers/loopback.js';
import { post, talk } from '../helpers/raw.js';
import { secret } from '../helpers/relay.js';

type Change = (job: Job) => Promise<Job>;

for (const [what, change] of [
  ['that throws', () => Promise.reject(new Error('a bug with a secret in its message'))],
  // Not a time: writing the answer throws.
  ['that cannot be written', (job) => Promise.resolve({ ...job, updatedAtMs: NaN })],
] as const satisfies readonly (readonly [string, Change])[]) {
  test(`a bug ${what} is answered as internal, without details, and reported`, async (t) => {
    const { registry } = createRegistry();
    t.teardown(() => registry.close());
    const job = await accept(registry);
    registry.get = () => change(job);
    const bugs: unknown[] = [];
    const reports: RequestReport[] = [];
    const exports = new Exports({
      registry,
      judgeDestination: () => ({ allowed: true }),
      reach: () => Promise.resolve({ kind: 'busy' }),
      requireDestination: false,
      onRefusal: () => undefined,
    });
    const options: AppOptions = {
      exports,
      upgradeRefusal: () => ({ code: 'upgrade_required', detail: '' }),
      clock: systemClock,
      verifier: () => new MacaroonVerifier({ secrets: [secret], cacheEntries: 1 }),
      name: 'export-service',
      maxBodyBytes: 1000,
      corsOrigins: [],
      pages: new Map(),
      incoming: new IncomingBodies(1000),
      unread: new UnreadAnswers(1000),
      views: new JobViews(),
      maxWaitMs: 1000,
      onRequest: (report) => reports.push(report),
      onBug: (error) => bugs.push(error),
    };
    const handle = createApp(options).callback();
    const server = await listenOnLoopback(
      createBoundedServer((request, response) => void handle(request, response), {
        maxConnections: 10,
        requestTimeoutMs: 1000,
        wantsUpgrade: () => false,
        onRefused: () => undefined,
      }),
    );
    t.teardown(() => server.close());
    const answer = await talk(t, server, post('/export', `{"id":"${job.id}"}`, 'Connection: close'));
    t.regex(answer, /^HTTP\/1\.1 500 .*\r\nContent-Type: application\/problem\+json.*"code":"internal"/s);
    t.false(answer.includes('secret'));
    t.is(bugs.length, 1);
    t.like(reports, { length: 1, 0: { status: 500, level: 'error' } });
  });
}
