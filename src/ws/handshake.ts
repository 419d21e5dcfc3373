import type { IncomingMessage } from 'node:http';
import { type Failure, type Result, failed } from '../failure.js';
import { socketRoute } from '../http/app.js';
import { authenticate } from '../http/authenticate.js';
import { mayOpenSocket } from '../http/cors.js';
import type { MacaroonVerifier, VerifiedMacaroon } from '../macaroon/verify.js';

/** The subprotocol that a client may ask for, and gets. */
export const subprotocol = 'export-relay';

/** Before a macaroon that is offered as a subprotocol: a browser's page can set no header. */
export const macaroonPrefix = 'macaroon.';

/** What a handshake is judged by, apart from itself. */
export interface HandshakeFacts {
  readonly verifier: MacaroonVerifier | undefined;
  /** What a `target` caveat must name. */
  readonly name: string;
  readonly nowMs: number;
  readonly stopping: boolean;
  /** Origins whose pages may call the relay. */
  readonly corsOrigins: readonly string[];
}

/** The macaroon of a request that may become a WebSocket (RFC 6455, 4.2.1), or why it may not. */
export function judgeHandshake(request: IncomingMessage, facts: HandshakeFacts): Result<VerifiedMacaroon> {
  const protocols = offeredProtocols(request.headers['sec-websocket-protocol']);
  const malformed = formFailure(request, protocols);
  if (malformed !== undefined) return failed(malformed);
  if (!mayOpenSocket(request.headers, facts.corsOrigins)) {
    return failed({
      code: 'origin_not_allowed',
      detail: 'The operator names the origins whose pages may call the relay with --cors-origin.',
    });
  }
  if (facts.stopping) {
    return failed({
      code: 'shutting_down',
      retryAfterSeconds: 1,
      detail: 'The relay is stopping and opens no more sockets.',
    });
  }
  const { name, nowMs, verifier } = facts;
  return authenticate(
    request.headers,
    verifier,
    { target: name, path: socketRoute, method: 'GET', nowMs },
    protocols
      ?.filter((protocol) => protocol.startsWith(macaroonPrefix))
      .map((protocol) => protocol.slice(macaroonPrefix.length)),
  );
}

function formFailure(
  request: IncomingMessage,
  protocols: readonly string[] | undefined,
): Failure | undefined {
  const { headers, httpVersion } = request;
  const offers =
    headers.upgrade?.toLowerCase() === 'websocket' && /\bupgrade\b/i.test(headers.connection ?? '');
  if (!offers || httpVersion !== '1.1') {
    return { code: 'upgrade_required', detail: `${socketRoute} is a WebSocket: ask for an upgrade to one.` };
  }
  if (headers['sec-websocket-version'] !== '13') {
    return { code: 'upgrade_required', detail: 'The relay speaks version 13 of the WebSocket protocol.' };
  }
  if (!/^[+/0-9A-Za-z]{22}==$/.test(headers['sec-websocket-key'] ?? '')) {
    return invalid('Sec-WebSocket-Key', 'must be 16 bytes in base64');
  }
  if (headers.host === undefined) return invalid('Host', 'must be present');
  // What would be its body, to somebody in between, would be frames to us.
  if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0) {
    return invalid('Content-Length', 'must be absent or 0: an upgrade has no body');
  }
  if (protocols === undefined) {
    return invalid(
      'Sec-WebSocket-Protocol',
      'must list distinct tokens (a macaroon goes without its padding)',
    );
  }
  return undefined;
}

/** The subprotocols a client offers; `undefined` where they are no list of distinct tokens. */
function offeredProtocols(header: string | undefined): readonly string[] | undefined {
  if (header === undefined) return [];
  const protocols = header.split(',').map((protocol) => protocol.trim());
  if (new Set(protocols).size < protocols.length) return undefined;
  return protocols.every((protocol) => /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(protocol))
    ? protocols
    : undefined;
}

function invalid(field: string, message: string): Failure {
  return { code: 'invalid_request', detail: `${field} ${message}.`, errors: [{ field, message }] };
}
