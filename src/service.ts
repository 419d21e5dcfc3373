import type { Server } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import { isIPv6 } from 'node:net';
import type { SecretFetch } from './arbiter/outcome.js';
import { startSecretSource } from './arbiter/secret_source.js';
import { type Clock, systemClock } from './clock.js';
import type { Config } from './config/settings.js';
import { createGuardedConnector } from './delivery/connector.js';
import { createGuard, type Guard, type Lookup } from './delivery/guard.js';
import { createReach, type Reach } from './delivery/reach.js';
import { currentOwnListeners } from './delivery/own_listeners.js';
import { createSender } from './delivery/send.js';
import type { Destination } from './egress/destination.js';
import type { OwnListener } from './egress/own_listener.js';
import { judgeDestination } from './egress/policy.js';
import { createApp } from './http/app.js';
import { Exports } from './http/exports.js';
import { createBoundedServer } from './http/server.js';
import { MemoryRegistry } from './job/memory_registry.js';
import type { RegistryStats } from './job/registry.js';
import type { Logger } from './log/logger.js';
import { MacaroonVerifier } from './macaroon/verify.js';
import { createObservers, type Observers } from './observe.js';
import { type Certificate, watchCertificate } from './tls/certificate.js';
import { version } from './version.js';
import { ExportSockets } from './ws/sockets.js';

/** A relay that runs. */
export interface Service {
  /** Where clients reach it, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  stats(): RegistryStats;
  /**
   * Stops in the order that loses nothing: new jobs are refused, waiters answered and sockets closed, attempts in
   * flight get `graceMs` to end, then the connections close.
   */
  stop(graceMs: number): Promise<void>;
}

export interface ServiceParts {
  readonly logger: Logger;
  readonly clock?: Clock;
  /** How to get the macaroon secret where the configuration has none. */
  readonly fetchSecret?: SecretFetch | undefined;
  /** For HTTPS. The file is read again when it changes. */
  readonly tls?: { readonly path: string; readonly certificate: Certificate } | undefined;
  /** Default: the system's resolver. */
  readonly lookup?: Lookup;
  /** Uniform in [0, 1), for the jitter of retries. */
  readonly random?: () => number;
}

/** How long a dry run waits for a name to be resolved. */
const dryRunAnswerMs = 5000;

/** Verified macaroons kept: with at most 4 KiB of text each, some 10 MB. */
const verifiedMacaroons = 1000;

/** For answers already being written when the service stops. */
const lastAnswersMs = 1000;
/** Connections the kernel keeps until they are accepted; it allows fewer where `somaxconn` says so. */
const listenBacklog = 4096;

/** Builds the parts and starts them in order: the queue first, the listener last. */
export async function startService(config: Config, parts: ServiceParts): Promise<Service> {
  const { logger, clock = systemClock, random = Math.random, tls, lookup } = parts;
  const observers = createObservers(logger, clock);
  const bound: OwnListener[] = [];
  const own = currentOwnListeners(() => bound);
  const guard = createGuard({ policy: config, ownListeners: own, ...(lookup !== undefined && { lookup }) });
  const sender = createSender({
    connect: createGuardedConnector({ guard, timeoutMs: config.attemptTimeoutMs }),
    maxResponseBytes: config.maxResponseBytes,
    maxIdleConnections: config.concurrency,
    userAgent: `export-relay/${version}`,
    signingKeys: config.signingKeys,
  });
  const registry = new MemoryRegistry({
    ...config,
    limits: config,
    clock,
    random,
    deliver: sender.deliver,
    onAttempt: observers.onAttempt,
    onBug: observers.onBug,
    onFinished: observers.onFinished,
  });
  const macaroons = startVerifier(config, parts, clock);
  const exports = new Exports({
    registry,
    requireDestination: config.requireDestination,
    judgeDestination: (destination) => judgeDestination(destination, config, own()),
    reach: reportedReach(guard, config, observers),
  });
  const front = { ...config, ...observers, exports, registry, clock, verifier: macaroons.verifier };
  const sockets = new ExportSockets(front);
  // Unread answers may take as much again as the results themselves.
  const app = createApp({ ...front, maxUnreadBytes: config.maxMemoryBytes, upgradeRefusal: sockets.refusal });
  const handle = app.callback();
  const server = createBoundedServer((request, response) => void handle(request, response), {
    ...config,
    certificate: tls?.certificate,
    onRefused: observers.onRefused,
    wantsUpgrade: sockets.admits,
  });
  server.on('upgrade', sockets.accept);
  const address = await listen(server, config).catch(async (error: unknown) => {
    registry.close();
    macaroons.stop();
    await sender.close();
    throw error;
  });
  bound.push(address);
  const stopWatching = watchFor(server, parts, clock);
  return {
    url: urlOf(address, tls !== undefined),
    stats: () => registry.stats(),
    async stop(graceMs) {
      macaroons.stop();
      stopWatching();
      registry.close();
      const socketsClosed = sockets.close(lastAnswersMs);
      await registry.drain(graceMs);
      await sender.close();
      await socketsClosed;
      await close(server);
    },
  };
}

/** The verifier: at once with configured secrets, else as soon as the arbiter has given one, and then for good. */
function startVerifier(
  { secrets }: Config,
  { fetchSecret, logger }: ServiceParts,
  clock: Clock,
): { readonly verifier: () => MacaroonVerifier | undefined; readonly stop: () => void } {
  const create = (known: readonly string[]): MacaroonVerifier =>
    new MacaroonVerifier({ secrets: known, cacheEntries: verifiedMacaroons });
  if (fetchSecret === undefined) {
    const verifier = create(secrets);
    return { verifier: () => verifier, stop: () => undefined };
  }
  let verifier: MacaroonVerifier | undefined;
  const source = startSecretSource({
    fetch: fetchSecret,
    clock,
    onSecret: (secret) => {
      verifier = create([secret]);
      logger.info('got the macaroon secret from the arbiter');
    },
    onWaiting: (waiting) => logger.warn(waiting, 'waiting for the macaroon secret from the arbiter'),
  });
  return { verifier: () => verifier, stop: () => source.stop() };
}

/** Uses a new certificate for new connections; those that are open keep the one they began with. */
function watchFor(server: Server | TlsServer, { tls, logger }: ServiceParts, clock: Clock): () => void {
  if (tls === undefined || !('setSecureContext' in server)) return () => undefined;
  return watchCertificate({
    path: tls.path,
    clock,
    onChange: (certificate) => {
      server.setSecureContext(certificate);
      logger.info('the certificate file has changed and is in use');
    },
    onMistake: (reason) => logger.error({ reason }, 'the certificate file has changed and cannot be used'),
  });
}

/** What dry runs ask; the log learns why a destination cannot be reached. */
function reportedReach(
  guard: Guard,
  { attemptTimeoutMs }: Config,
  { onUnreachable }: Observers,
): (destination: Destination) => Promise<Reach> {
  const answerWithinMs = Math.min(dryRunAnswerMs, attemptTimeoutMs);
  const reach = createReach({ guard, answerWithinMs, lookupTimeoutMs: attemptTimeoutMs });
  return async (destination) => {
    const found = await reach(destination.host, destination.port);
    if (found.kind === 'unreachable') onUnreachable(destination, found.reason);
    return found;
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

function urlOf({ address, port }: OwnListener, tls: boolean): string {
  return `${tls ? 'https' : 'http'}://${isIPv6(address) ? `[${address}]` : address}:${port}`;
}
