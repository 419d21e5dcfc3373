/**
 * How one try to fetch the secret ended. `detail` is for the log: it is put together from fixed texts, codes and
 * numbers, never from what a peer sent, so that no token, key or secret can slip into it.
 */
export type FetchOutcome =
  | { readonly reason: 'secret'; readonly secret: string }
  | FailedFetch
  | UnansweredFetch;

/** One try to fetch the secret. Never rejects; ends early, with any failure, when the signal aborts. */
export type SecretFetch = (signal: AbortSignal) => Promise<FetchOutcome>;

export interface FailedFetch {
  /**
   * `not_registered`: the platform has not told the arbiter about this service yet.
   * `refused`: the arbiter answered, and no secret is to be had with this setup or now.
   * `unreachable`: no request was sent, because there was no connection to send it over.
   * `garbage`: the answer is not one that an arbiter gives.
   * `empty_secret`: the answer is right in form, and there is nothing in it.
   */
  readonly reason: 'not_registered' | 'refused' | 'unreachable' | 'garbage' | 'empty_secret';
  readonly detail: string;
}

/** The request was sent, and no answer came. */
interface UnansweredFetch {
  readonly reason: 'no_answer';
  readonly detail: string;
  /** The arbiter may still come to the request, and would then make a new secret in place of any later one. */
  readonly mayRotateLater: boolean;
}

/** Longest secret, in bytes. Arbiters give a UUID or 32 bytes in base64. */
const maxSecretBytes = 1024;

/**
 * The secret in an arbiter's answer: text that is used as it is. What could not be a secret is refused, because a
 * relay with a guessable secret lets anybody in, and one with a mangled secret shuts everybody out.
 */
export function secretFromAnswer(answer: Uint8Array): FetchOutcome {
  if (answer.length > maxSecretBytes) {
    return garbage(`a secret of ${answer.length} bytes; at most ${maxSecretBytes} are expected`);
  }
  const secret = decodeUtf8(answer);
  if (secret === undefined) return garbage('a secret that is not UTF-8 text');
  if (secret.trim() === '') return { reason: 'empty_secret', detail: 'an empty secret' };
  // Dropping a line break would be a guess about what the arbiter signs with.
  if (/\p{Cc}/u.test(secret)) return garbage('a secret with line breaks or other control characters');
  return { reason: 'secret', secret };
}

export function garbage(detail: string): FailedFetch {
  return { reason: 'garbage', detail };
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
