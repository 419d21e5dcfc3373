import { Api, type ApiOptions } from './admin/api.js';
import { type AdminOptions, createAdminHandler, whyNotReady } from './admin/app.js';
import type { QueueLimits } from './admin/summary.js';
import type { ListenAddress } from './config/words.js';
import { createBoundedServer } from './http/server.js';
import type { JobRegistry } from './job/registry.js';
import { type Listener, type ListenerOptions, startListener } from './listener.js';

export interface AdminListenerOptions
  extends
    Pick<AdminOptions, 'readiness' | 'metrics' | 'onBug'>,
    Pick<ApiOptions, 'ledger'>,
    Pick<ListenerOptions, 'clock' | 'logger'> {
  readonly registry: Pick<JobRegistry, 'stats'>;
  /** The audit log's file, if one is written. */
  readonly auditFile?: string | undefined;
  /** Told why a connection was not accepted. */
  readonly onRefused: (code: string) => void;
}

/** A few people and a scraper; a browser opens up to six for a page. */
const maxConnections = 128;
const requestTimeoutMs = 30_000;

/** Starts the listener for the operator and the data's owner, unless it is off. Plain HTTP. */
export async function startAdminListener(
  config: QueueLimits & { readonly admin: ListenAddress | 'off' },
  options: AdminListenerOptions,
): Promise<Listener | undefined> {
  if (config.admin === 'off') return undefined;
  const { clock, ledger, readiness, registry, logger } = options;
  const address = config.admin;
  const api = new Api({
    clock,
    ledger,
    stats: () => registry.stats(),
    limits: config,
    auditFile: options.auditFile,
    startedAtMs: clock.nowMs(),
    notReady: () => whyNotReady(readiness()),
  });
  const handler = createAdminHandler({ ...options, api, host: address.host });
  const server = createBoundedServer(handler, {
    maxConnections,
    requestTimeoutMs,
    onRefused: options.onRefused,
    wantsUpgrade: () => false,
  });
  try {
    const listener = await startListener(server, { ...address, tls: undefined, clock, logger });
    return {
      ...listener,
      close() {
        api.close();
        return listener.close();
      },
    };
  } catch (error) {
    api.close();
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`the admin listener: ${reason} (--admin gives it another place, --admin=off none)`, {
      cause: error,
    });
  }
}
