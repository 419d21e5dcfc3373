import { systemClock } from '#relay/clock.js';
import { type Failure, failed } from '#relay/failure.js';
import { type AppOptions, createApp } from '#relay/http/app.js';
import { createBoundedServer } from '#relay/http/server.js';
import { IncomingBodies } from '#relay/http/incoming.js';
import { UnreadAnswers } from '#relay/http/unread.js';
import { JobViews } from '#relay/http/view.js';
import { MacaroonVerifier } from '#relay/macaroon/verify.js';
import { type LoopbackServer, listenOnLoopback } from './loopback.js';
import { secret } from './relay.js';
import type { Cleanup } from './scripted_destination.js';

/** The relay's HTTP side, on a core that fails as it is told: for what no test can bring a whole relay to. */
export async function startFailingApp(
  t: Cleanup,
  failure: Failure | 'bug',
  overrides: Partial<AppOptions> = {},
): Promise<LoopbackServer> {
  const fail = (): never => {
    throw new Error('a bug');
  };
  const ask = () => (failure === 'bug' ? fail() : Promise.resolve(failed(failure)));
  const options: AppOptions = {
    exports: { submit: ask, ask, dryRun: ask },
    upgradeRefusal: () => (failure === 'bug' ? fail() : failure),
    clock: systemClock,
    verifier: () => new MacaroonVerifier({ secrets: [secret], cacheEntries: 1 }),
    name: 'export-service',
    maxBodyBytes: 1000,
    corsOrigins: [],
    pages: failure === 'bug' ? Object.assign(new Map(), { get: fail }) : new Map(),
    incoming: new IncomingBodies(100_000),
    unread: new UnreadAnswers(100_000),
    views: new JobViews(),
    maxWaitMs: 1000,
    onRequest: () => undefined,
    onBug: () => undefined,
    ...overrides,
  };
  const handle = createApp(options).callback();
  const server = await listenOnLoopback(
    createBoundedServer((request, response) => void handle(request, response), {
      maxConnections: 100,
      requestTimeoutMs: 1000,
      wantsUpgrade: () => false,
      onRefused: () => undefined,
    }),
  );
  t.teardown(() => server.close());
  return server;
}
