import type { Readiness } from './admin/app.js';
import { Ledger } from './admin/ledger.js';
import { startAdminListener } from './admin_listener.js';
import type { SecretFetch } from './arbiter/outcome.js';
import { type Clock, systemClock } from './clock.js';
import type { Config } from './config/settings.js';
import type { Lookup } from './delivery/guard.js';
import { currentOwnListeners } from './delivery/own_listeners.js';
import type { OwnListener } from './egress/own_listener.js';
import { figuresOf } from './figures.js';
import { createFront } from './front.js';
import { LocalRegistry } from './job/local_registry.js';
import { openKept } from './kept.js';
import type { RegistryStats } from './job/registry.js';
import { lastAnswersMs, type Listener, startListener } from './listener.js';
import type { Logger } from './log/logger.js';
import { createMetrics, type RenderedMetrics } from './metrics/metrics.js';
import { createObservers, type Observers, observeAlso } from './observe.js';
import type { Certificate } from './tls/certificate.js';
import { startVerifierSource } from './verifier_source.js';
import { createWayOut } from './way_out.js';

/** A relay that runs. */
export interface Service {
  /** Where clients reach it, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Where the operator and the data's owner reach it; `undefined` if that is off. */
  readonly adminUrl: string | undefined;
  stats(): RegistryStats;
  /** What Prometheus reads. */
  metrics(): Promise<RenderedMetrics>;
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
  /** Log lines lost since the beginning. */
  readonly logLinesLost?: () => number;
  /** Whether the metrics tell of the process as well, as those of its one relay do. */
  readonly processMetrics?: boolean;
}

/** Builds the parts and starts them in order: the queue first, the listener last. */
export async function startService(config: Config, parts: ServiceParts): Promise<Service> {
  const { logger, clock = systemClock, random = Math.random, fetchSecret, tls, lookup } = parts;
  const figures = () => figuresOf({ registry, front, sender, macaroons });
  const metrics = createMetrics({ ...parts, bounds: config, figures });
  const { ledger, watching } = withLedger(config, clock, createObservers(logger, clock, metrics));
  const { kept, jobs } = await openKept({ config, clock, logger, observers: watching });
  const { observers } = kept;
  const bound: OwnListener[] = [];
  const own = currentOwnListeners(() => bound);
  const { sender, prepare, reach } = createWayOut({ ...observers, config, own, lookup });
  const registry = new LocalRegistry({
    ...config,
    ...observers,
    ...{ limits: config, clock, random, deliver: sender.deliver, store: kept.store },
  });
  if (config.admin !== 'off') void ledger.restore(jobs);
  registry.restore(jobs);
  metrics.start();
  const macaroons = startVerifierSource({ secrets: config.secrets, fetchSecret, clock, logger });
  const { verifier } = macaroons;
  const certificate = tls?.certificate;
  const served = { config, clock, registry, verifier, reach, own, observers, certificate };
  const front = createFront(served);
  let stopping = false;
  const readiness = (): Readiness => readinessOf(stopping, verifier() !== undefined);
  const endWork = async (graceMs: number): Promise<void> => {
    macaroons.stop();
    registry.close();
    const socketsClosed = front.sockets.close(lastAnswersMs);
    await registry.drain(graceMs);
    await sender.close();
    await socketsClosed;
  };
  const { listener, admin } = await startListeners(bound, {
    front: () => startListener(front.server, { ...config, tls, clock, logger }),
    admin: () => {
      const about = { ledger, registry, readiness, metrics: metrics.render, auditFile: config.audit };
      return startAdminListener(config, { ...observers, ...about, clock, logger });
    },
  }).catch(async (error: unknown) => {
    await endWork(0);
    await kept.close();
    throw error;
  });
  // Not before: deliveries must know which addresses are the relay's own.
  registry.start();
  void prepare();
  return {
    url: listener.url,
    adminUrl: admin?.url,
    stats: () => registry.stats(),
    metrics: metrics.render,
    async stop(graceMs) {
      stopping = true;
      await endWork(graceMs);
      await listener.close();
      await admin?.close();
      await kept.close();
    },
  };
}

/** The record that the admin listener shows; told of nothing where nobody can look at it. */
function withLedger(
  { admin, adminHistory }: Config,
  clock: Clock,
  observers: Observers,
): { readonly ledger: Ledger; readonly watching: Observers } {
  const ledger = new Ledger({ maxEntries: adminHistory, nowMs: () => clock.nowMs() });
  return { ledger, watching: admin === 'off' ? observers : observeAlso(observers, ledger) };
}

function readinessOf(stopping: boolean, secretIsKnown: boolean): Readiness {
  if (stopping) return { ready: false, reason: 'stopping' };
  return secretIsKnown ? { ready: true } : { ready: false, reason: 'no_secret' };
}

/**
 * Starts the admin listener and then the clients': in this order an app can never ask for an export to the admin
 * listener before it is among the `bound`, which exports may not reach. Either both listen, or none.
 */
async function startListeners(
  bound: OwnListener[],
  start: {
    readonly front: () => Promise<Listener>;
    readonly admin: () => Promise<Listener | undefined>;
  },
): Promise<{ readonly listener: Listener; readonly admin: Listener | undefined }> {
  const admin = await start.admin();
  if (admin !== undefined) bound.push(admin.address);
  try {
    const listener = await start.front();
    bound.push(listener.address);
    return { listener, admin };
  } catch (error) {
    await admin?.close();
    throw error;
  }
}
