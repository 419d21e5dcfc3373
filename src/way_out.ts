import type { Config } from './config/settings.js';
import { createGuard, type Guard, type Lookup } from './delivery/guard.js';
import { createReach, type Reach } from './delivery/reach.js';
import type { Sender } from './delivery/send.js';
import type { Destination } from './egress/destination.js';
import type { OwnListener } from './egress/own_listener.js';
import type { Observers } from './observe.js';
import { version } from './version.js';

/** Everything through which data or a question can leave; all of it goes by one guard. */
export interface WayOut {
  readonly sender: Sender;
  /** Loads what sends, so that the first export does not wait for it. */
  readonly prepare: () => Promise<void>;
  /** Where a dry run would get. */
  readonly reach: (destination: Destination) => Promise<Reach>;
}

export interface WayOutOptions {
  readonly config: Config;
  /** The relay's own listeners, as of now. */
  readonly own: () => readonly OwnListener[];
  /** Default: the system's resolver. */
  readonly lookup: Lookup | undefined;
  readonly onUnreachable: Observers['onUnreachable'];
}

/** How long a dry run waits for a name to be resolved. */
const dryRunAnswerMs = 5000;

export function createWayOut({ config, own, lookup, onUnreachable }: WayOutOptions): WayOut {
  const { attemptTimeoutMs, maxResponseBytes, concurrency, signingKeys } = config;
  const guard = createGuard({ policy: config, ownListeners: own, ...(lookup !== undefined && { lookup }) });
  const load = async (): Promise<Sender> => {
    const { createGuardedConnector } = await import('./delivery/connector.js');
    const { createSender } = await import('./delivery/send.js');
    return createSender({
      connect: createGuardedConnector({ guard, timeoutMs: attemptTimeoutMs }),
      maxResponseBytes,
      maxIdleConnections: concurrency,
      userAgent: `export-relay/${version}`,
      signingKeys,
    });
  };
  return { ...onDemand(load), reach: reportedReach(guard, attemptTimeoutMs, onUnreachable) };
}

/**
 * A sender that is loaded when it is first needed, if it was not prepared: undici takes a quarter of the time that a start
 * needs for loading, and clients can be answered before.
 */
function onDemand(load: () => Promise<Sender>): Pick<WayOut, 'sender' | 'prepare'> {
  let loading: Promise<Sender> | undefined;
  let loaded: Sender | undefined;
  const prepared = (): Promise<Sender> => (loading ??= load().then((sender) => (loaded = sender)));
  return {
    prepare: async () => void (await prepared()),
    sender: {
      deliver: (delivery) =>
        loaded?.deliver(delivery) ?? prepared().then((sender) => sender.deliver(delivery)),
      connections: () => loaded?.connections() ?? 0,
      close: async () => (await loading)?.close(),
    },
  };
}

/** What dry runs ask; the log learns why a destination cannot be reached. */
function reportedReach(
  guard: Guard,
  attemptTimeoutMs: number,
  onUnreachable: Observers['onUnreachable'],
): (destination: Destination) => Promise<Reach> {
  const answerWithinMs = Math.min(dryRunAnswerMs, attemptTimeoutMs);
  const reach = createReach({ guard, answerWithinMs, lookupTimeoutMs: attemptTimeoutMs });
  return async (destination) => {
    const found = await reach(destination.host, destination.port);
    if (found.kind === 'unreachable') onUnreachable(destination, found.reason);
    return found;
  };
}
