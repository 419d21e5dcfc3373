import type { IncomingHttpHeaders } from 'node:http';
import { type Result, failed, success } from '../failure.js';
import { type RequestFacts, type Verdict, checkRequest } from '../macaroon/caveats.js';
import type { MacaroonVerifier, VerifiedMacaroon } from '../macaroon/verify.js';

/**
 * The macaroon of a request, verified, with every caveat satisfied that can be judged before the body is read.
 * `verifier` is undefined as long as the relay does not know its secret. `offered` are macaroons that came some other
 * way than in the headers read here.
 */
export function authenticate(
  headers: IncomingHttpHeaders,
  verifier: MacaroonVerifier | undefined,
  facts: RequestFacts,
  offered: readonly string[] = [],
): Result<VerifiedMacaroon> {
  if (verifier === undefined) {
    return failed({
      code: 'no_secret',
      retryAfterSeconds: 1,
      detail: 'The relay has not got its macaroon secret from the arbiter yet.',
    });
  }
  const token = tokenOf(headers, offered);
  if (!token.ok) return token;
  const macaroon = verifier.verify(token.value);
  if (macaroon === undefined)
    return invalidMacaroon('The macaroon cannot be read, or its signature does not hold.');
  const verdict = checkRequest(macaroon, facts);
  return verdict.satisfied ? success(macaroon) : caveatFailure(verdict);
}

/** A caveat's refusal, as the client sees it. */
export function caveatFailure({ caveat, reason }: Exclude<Verdict, { satisfied: true }>): Result<never> {
  return failed({
    code: 'caveat_not_satisfied',
    caveat,
    detail: `The caveat "${caveat}" is not satisfied: ${reason}.`,
  });
}

/**
 * `X-Api-Key`, or the user name of HTTP Basic. Both at once would leave open which of the two was meant. A repeated
 * `X-Api-Key` arrives joined by a comma, which no macaroon contains.
 */
function tokenOf(headers: IncomingHttpHeaders, offered: readonly string[]): Result<string> {
  const apiKey = headers['x-api-key'];
  const userName = basicUserName(headers.authorization);
  const [token, ...others] = [apiKey, userName, ...offered].filter((credential) => credential !== undefined);
  if (others.length > 0 || Array.isArray(token)) {
    return invalidMacaroon('Send the macaroon once: in X-Api-Key or as the user name of HTTP Basic.');
  }
  if (token === undefined || token === '') {
    return failed({ code: 'missing_macaroon', detail: 'Send your macaroon in the X-Api-Key header.' });
  }
  return success(token);
}

/** Trimmed beforehand: two runs of spaces in one pattern take quadratic time where nothing lies between them. */
function basicUserName(authorization: string | undefined): string | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/_-]*={0,2})$/i.exec((authorization ?? '').trim())?.[1];
  if (encoded === undefined) return undefined;
  return Buffer.from(encoded, 'base64').toString('latin1').split(':', 1)[0];
}

function invalidMacaroon(detail: string): Result<never> {
  return failed({ code: 'invalid_macaroon', detail });
}
