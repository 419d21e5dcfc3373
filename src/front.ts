import type { Server } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { Clock } from './clock.js';
import type { Config } from './config/settings.js';
import type { Reach } from './delivery/reach.js';
import type { Destination } from './egress/destination.js';
import type { OwnListener } from './egress/own_listener.js';
import { judgeDestination } from './egress/policy.js';
import { createApp } from './http/app.js';
import { Exports } from './http/exports.js';
import { IncomingBodies } from './http/incoming.js';
import { createBoundedServer } from './http/server.js';
import { UnreadAnswers } from './http/unread.js';
import { JobViews } from './http/view.js';
import type { LocalRegistry } from './job/local_registry.js';
import type { JobRegistry } from './job/registry.js';
import type { MacaroonVerifier } from './macaroon/verify.js';
import type { Observers } from './observe.js';
import { publicPages } from './openapi/pages.js';
import type { Certificate } from './tls/certificate.js';
import { ExportSockets } from './ws/sockets.js';

export interface FrontOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly registry: JobRegistry & Pick<LocalRegistry, 'isDelivering'>;
  /** Undefined until the relay knows its secret. */
  readonly verifier: () => MacaroonVerifier | undefined;
  /** Where a dry run would get. */
  readonly reach: (destination: Destination) => Promise<Reach>;
  /** The relay's own listeners, as of now. */
  readonly own: () => readonly OwnListener[];
  readonly observers: Observers;
  /** For HTTPS. */
  readonly certificate: Certificate | undefined;
}

/** What clients talk to, over HTTP and WebSockets. */
export interface Front {
  /** Does not listen yet. */
  readonly server: Server | TlsServer;
  readonly sockets: ExportSockets;
  /** Answers that clients have not read. */
  readonly unread: UnreadAnswers;
}

export function createFront(options: FrontOptions): Front {
  const { config, clock, registry, verifier, reach, own, observers, certificate } = options;
  const exports = new Exports({
    registry,
    requireDestination: config.requireDestination,
    judgeDestination: (destination) => judgeDestination(destination, config, own()),
    reach,
    onRefusal: observers.onRefusal,
  });
  // Unread answers may take as much again as the results themselves.
  const unread = new UnreadAnswers(config.maxMemoryBytes);
  // Half of what jobs may take: what arrives is about to become part of them.
  const incoming = new IncomingBodies(config.maxMemoryBytes / 2);
  const parts = { ...config, ...observers, exports, registry, clock, incoming, unread, verifier };
  const sockets = new ExportSockets(parts);
  const app = createApp({
    ...parts,
    views: new JobViews(),
    pages: publicPages(config),
    upgradeRefusal: sockets.refusal,
  });
  const handle = app.callback();
  const server = createBoundedServer((request, response) => void handle(request, response), {
    ...parts,
    certificate,
    isDelivering: () => registry.isDelivering,
    wantsUpgrade: sockets.admits,
  });
  server.on('upgrade', sockets.accept);
  return { server, sockets, unread };
}
