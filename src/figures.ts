import type { Sender } from './delivery/send.js';
import type { Front } from './front.js';
import type { JobRegistry } from './job/registry.js';
import type { Figures } from './metrics/metrics.js';
import type { VerifierSource } from './verifier_source.js';

/** The parts of a running relay that the metrics ask. */
export interface Measured {
  readonly registry: Pick<JobRegistry, 'stats'>;
  readonly front: Front;
  readonly sender: Pick<Sender, 'connections'>;
  readonly macaroons: Pick<VerifierSource, 'verifier'>;
}

/** The relay as it is now. */
export async function figuresOf({ registry, front, sender, macaroons }: Measured): Promise<Figures> {
  return {
    clientConnections: await countConnections(front.server),
    stats: registry.stats(),
    webSockets: front.sockets.size,
    destinationConnections: sender.connections(),
    unreadBytes: front.unread.bytes,
    secretKnown: macaroons.verifier() !== undefined,
  };
}

function countConnections(server: Front['server']): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error: Error | null, count) => {
      if (error === null) resolve(count);
      else reject(error);
    });
  });
}
