import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';

/**
 * Whether a request's `Host` can only have been meant for this listener. A page of any website can have its own name
 * resolve to this machine and read what is answered there as its own (DNS rebinding); it cannot do that with a literal
 * address, with `localhost`, or with the host that the listener was configured for. No browser leaves the header out.
 */
export function isTrustedHost(header: string | undefined, configuredHost: string): boolean {
  if (header === undefined) return true;
  const [, name = ''] = /^(\[[^[\]]*\]|[^:]*)(?::\d*)?$/.exec(header.toLowerCase()) ?? [];
  if (name.startsWith('[')) return isIP(name.slice(1, -1)) === 6;
  return isIP(name) === 4 || name === 'localhost' || name === configuredHost.toLowerCase();
}

/**
 * Whether a browser says that a page of another site asks. Such a page cannot read the answer, but it could hold
 * connections; programs that are no browsers do not send the header.
 */
export function isFromAnotherSite({ 'sec-fetch-site': site }: IncomingHttpHeaders): boolean {
  return site !== undefined && site !== 'same-origin' && site !== 'none';
}
