import type { Server } from 'node:http';
import { isIPv6 } from 'node:net';
import { type Clock, systemClock } from './clock.js';
import type { Config } from './config/settings.js';
import { createGuardedConnector } from './delivery/connector.js';
import { createGuard } from './delivery/guard.js';
import { currentOwnListeners } from './delivery/own_listeners.js';
import { createSender } from './delivery/send.js';
import type { OwnListener } from './egress/own_listener.js';
import { judgeDestination } from './egress/policy.js';
import { createApp } from './http/app.js';
import { createBoundedServer } from './http/server.js';
import { MemoryRegistry } from './job/memory_registry.js';
import type { RegistryStats } from './job/registry.js';
import type { Logger } from './log/logger.js';
import { MacaroonVerifier } from './macaroon/verify.js';
import { createObservers } from './observe.js';
import { version } from './version.js';

/** A relay that runs. */
export interface Service {
  /** Where clients reach it, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  stats(): RegistryStats;
  /**
   * Stops in the order that loses nothing: new jobs are refused and waiters answered, attempts in flight get
   * `graceMs` to end, then the connections close.
   */
  stop(graceMs: number): Promise<void>;
}

export interface ServiceParts {
  readonly logger: Logger;
  readonly clock?: Clock;
}

/** Verified macaroons kept: with at most 4 KiB of text each, some 10 MB. */
const verifiedMacaroons = 1000;

/** For answers already being written when the service stops. */
const lastAnswersMs = 1000;
/** Connections the kernel keeps until they are accepted; it allows fewer where `somaxconn` says so. */
const listenBacklog = 4096;

/** Builds the parts and starts them in order: the queue first, the listener last. */
export async function startService(
  config: Config,
  { logger, clock = systemClock }: ServiceParts,
): Promise<Service> {
  const observers = createObservers(logger);
  const bound: OwnListener[] = [];
  const own = currentOwnListeners(() => bound);
  const sender = createSender({
    connect: createGuardedConnector({
      guard: createGuard({ policy: config, ownListeners: own }),
      timeoutMs: config.attemptTimeoutMs,
    }),
    maxResponseBytes: config.maxResponseBytes,
    userAgent: `export-relay/${version}`,
  });
  const registry = new MemoryRegistry({
    ...config,
    limits: config,
    clock,
    random: Math.random,
    deliver: sender.deliver,
    onAttempt: observers.onAttempt,
    onFinished: observers.onFinished,
  });
  const verifier = new MacaroonVerifier({ secrets: config.secrets, cacheEntries: verifiedMacaroons });
  const app = createApp({
    ...config,
    registry,
    clock,
    verifier: () => verifier,
    judgeDestination: (destination) => judgeDestination(destination, config, own()),
    onRequest: observers.onRequest,
    onBug: observers.onBug,
  });
  const handle = app.callback();
  const server = createBoundedServer((request, response) => void handle(request, response), config);
  const address = await listen(server, config).catch(async (error: unknown) => {
    registry.close();
    await sender.close();
    throw error;
  });
  bound.push(address);
  return {
    url: urlOf(address),
    stats: () => registry.stats(),
    async stop(graceMs) {
      registry.close();
      await registry.drain(graceMs);
      await sender.close();
      await close(server);
    },
  };
}

function listen(server: Server, { port, host }: Pick<Config, 'port' | 'host'>): Promise<OwnListener> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, backlog: listenBacklog }, () => {
      server.off('error', reject);
      const address = server.address();
      if (typeof address === 'object' && address !== null) resolve(address);
      else reject(new Error('the server listens on no port'));
    });
  });
}

/** Lets answers that are on their way out reach their clients, and then closes what is left. */
function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const idle = setInterval(() => server.closeIdleConnections(), 20);
    const late = setTimeout(() => server.closeAllConnections(), lastAnswersMs);
    server.close(() => {
      clearInterval(idle);
      clearTimeout(late);
      resolve();
    });
  });
}

function urlOf({ address, port }: OwnListener): string {
  return `http://${isIPv6(address) ? `[${address}]` : address}:${port}`;
}
