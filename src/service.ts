import type { SecretFetch } from './arbiter/outcome.js';
import { type Clock, systemClock } from './clock.js';
import type { Config } from './config/settings.js';
import type { Lookup } from './delivery/guard.js';
import { currentOwnListeners } from './delivery/own_listeners.js';
import type { OwnListener } from './egress/own_listener.js';
import { judgeDestination } from './egress/policy.js';
import { createApp } from './http/app.js';
import { Exports } from './http/exports.js';
import { createBoundedServer } from './http/server.js';
import { UnreadAnswers } from './http/unread.js';
import { MemoryRegistry } from './job/memory_registry.js';
import type { RegistryStats } from './job/registry.js';
import { lastAnswersMs, startListener } from './listener.js';
import type { Logger } from './log/logger.js';
import { createObservers } from './observe.js';
import type { Certificate } from './tls/certificate.js';
import { startVerifierSource } from './verifier_source.js';
import { createWayOut } from './way_out.js';
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

/** Builds the parts and starts them in order: the queue first, the listener last. */
export async function startService(config: Config, parts: ServiceParts): Promise<Service> {
  const { logger, clock = systemClock, random = Math.random, fetchSecret, tls, lookup } = parts;
  const observers = createObservers(logger, clock);
  const bound: OwnListener[] = [];
  const own = currentOwnListeners(() => bound);
  const { sender, reach } = createWayOut({ config, own, lookup, onUnreachable: observers.onUnreachable });
  const registry = new MemoryRegistry({
    ...config,
    limits: config,
    clock,
    random,
    deliver: sender.deliver,
    onAttempt: observers.onAttempt,
    onBug: observers.onBug,
    onChange: observers.onChange,
    onFinished: observers.onFinished,
  });
  const macaroons = startVerifierSource({ secrets: config.secrets, fetchSecret, clock, logger });
  const exports = new Exports({
    registry,
    requireDestination: config.requireDestination,
    judgeDestination: (destination) => judgeDestination(destination, config, own()),
    reach,
    onRefusal: observers.onRefusal,
  });
  // Unread answers may take as much again as the results themselves.
  const unread = new UnreadAnswers(config.maxMemoryBytes);
  const front = { ...config, ...observers, exports, registry, clock, unread, verifier: macaroons.verifier };
  const sockets = new ExportSockets(front);
  const app = createApp({ ...front, upgradeRefusal: sockets.refusal });
  const handle = app.callback();
  const server = createBoundedServer((request, response) => void handle(request, response), {
    ...config,
    certificate: tls?.certificate,
    onRefused: observers.onRefused,
    wantsUpgrade: sockets.admits,
  });
  server.on('upgrade', sockets.accept);
  const listener = await startListener(server, { ...config, tls, clock, logger }).catch(
    async (error: unknown) => {
      registry.close();
      macaroons.stop();
      await sender.close();
      throw error;
    },
  );
  bound.push(listener.address);
  return {
    url: listener.url,
    stats: () => registry.stats(),
    async stop(graceMs) {
      macaroons.stop();
      registry.close();
      const socketsClosed = sockets.close(lastAnswersMs);
      await registry.drain(graceMs);
      await sender.close();
      await socketsClosed;
      await listener.close();
    },
  };
}
