import type { Server } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import { isIPv6 } from 'node:net';
import type { Clock } from './clock.js';
import type { OwnListener } from './egress/own_listener.js';
import { oldestTls } from './http/server.js';
import type { Logger } from './log/logger.js';
import { type Certificate, watchCertificate } from './tls/certificate.js';

/** A server that listens. */
export interface Listener {
  readonly address: OwnListener;
  /** Where clients reach it, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Lets answers that are on their way out reach their clients, and then closes what is left. */
  close(): Promise<void>;
}

export interface ListenerOptions {
  readonly port: number;
  readonly host: string;
  /** For HTTPS. The file is read again when it changes. */
  readonly tls: { readonly path: string; readonly certificate: Certificate } | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** For answers already being written when the service stops. */
export const lastAnswersMs = 1000;

/** Connections the kernel keeps until they are accepted; it allows fewer where `somaxconn` says so. */
const listenBacklog = 4096;

/** Rejects with the system's error if the server cannot listen there. */
export async function startListener(server: Server | TlsServer, options: ListenerOptions): Promise<Listener> {
  const address = await listen(server, options);
  const stopWatching = watchFor(server, options);
  return {
    address,
    url: urlOf(address, options.tls !== undefined),
    close() {
      stopWatching();
      return close(server);
    },
  };
}

/** Uses a new certificate for new connections; those that are open keep the one they began with. */
function watchFor(server: Server | TlsServer, { tls, logger, clock }: ListenerOptions): () => void {
  if (tls === undefined || !('setSecureContext' in server)) return () => undefined;
  return watchCertificate({
    path: tls.path,
    clock,
    onChange: (certificate) => {
      server.setSecureContext({ ...certificate, minVersion: oldestTls });
      logger.info('the certificate file has changed and is in use');
    },
    onMistake: (reason) => logger.error({ reason }, 'the certificate file has changed and cannot be used'),
  });
}

function listen(
  server: Server,
  { port, host }: Pick<ListenerOptions, 'port' | 'host'>,
): Promise<OwnListener> {
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
