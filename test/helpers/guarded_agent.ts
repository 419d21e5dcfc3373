import { Agent, request } from 'undici';
import { ConnectError } from '#relay/delivery/connect_error.js';
import { createGuardedConnector } from '#relay/delivery/connector.js';
import { createGuard, type Lookup } from '#relay/delivery/guard.js';
import { type OwnListener } from '#relay/egress/own_listener.js';
import { policy } from './egress.js';

export interface GuardedAgentOptions {
  /** Default: the loopback. */
  readonly allowNetworks?: readonly string[];
  readonly ownListeners?: () => readonly OwnListener[];
  readonly lookup?: Lookup;
  readonly timeoutMs?: number;
  /** Certificates to trust besides Node's roots. */
  readonly ca?: readonly string[];
}

export interface GuardedAgent {
  /** POSTs to the URL; the status, or the error that kept the connection from being made. */
  readonly post: (url: string) => Promise<number | ConnectError>;
  readonly close: () => Promise<void>;
}

/** A real undici agent whose connections are made by the guarded connector. */
export function guardedAgent(options: GuardedAgentOptions = {}): GuardedAgent {
  const {
    allowNetworks = ['127.0.0.0/8', '::1'],
    ownListeners = () => [],
    timeoutMs = 5000,
    lookup,
    ca = [],
  } = options;
  const guard = createGuard({
    policy: policy({ allowHttp: true, allowNetworks }),
    ownListeners,
    ...(lookup !== undefined && { lookup }),
  });
  const connect = createGuardedConnector({ guard, timeoutMs, ca });
  const agent = new Agent({ connect });
  return {
    post: async (url) => {
      try {
        const { statusCode, body } = await request(url, { method: 'POST', body: '{}', dispatcher: agent });
        await body.dump();
        return statusCode;
      } catch (error) {
        if (error instanceof ConnectError) return error;
        throw error;
      }
    },
    close: () => agent.destroy(),
  };
}
