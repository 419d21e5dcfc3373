import { type AdminOptions, createAdminHandler } from './admin/app.js';
import type { ListenAddress } from './config/words.js';
import { createBoundedServer } from './http/server.js';
import { type Listener, type ListenerOptions, startListener } from './listener.js';

export interface AdminListenerOptions
  extends Omit<AdminOptions, 'host'>, Pick<ListenerOptions, 'clock' | 'logger'> {
  /** Told why a connection was not accepted. */
  readonly onRefused: (code: string) => void;
}

/** A few people and a scraper; a browser opens up to six for a page. */
const maxConnections = 128;
const requestTimeoutMs = 30_000;

/** Starts the listener for the operator and the data's owner, unless it is off. Plain HTTP. */
export async function startAdminListener(
  address: ListenAddress | 'off',
  options: AdminListenerOptions,
): Promise<Listener | undefined> {
  if (address === 'off') return undefined;
  const handler = createAdminHandler({ ...options, host: address.host });
  const server = createBoundedServer(handler, {
    maxConnections,
    requestTimeoutMs,
    onRefused: options.onRefused,
    wantsUpgrade: () => false,
  });
  try {
    return await startListener(server, { ...address, ...options, tls: undefined });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`the admin listener: ${reason} (--admin gives it another place, --admin=off none)`, {
      cause: error,
    });
  }
}
