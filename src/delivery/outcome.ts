import type { RefusalRule } from '../egress/policy.js';

/** What a destination answered to one attempt, as far as it is kept. */
export interface DestinationAnswer {
  readonly statusCode: number;
  /** `content-type`, `location` and `retry-after`, where present. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body as text, or as base64 where it is not UTF-8. */
  readonly body: string;
  readonly encoding: 'utf-8' | 'base64';
  /** Whether the body was cut: at the cap, or because it broke off. */
  readonly truncated: boolean;
}

/** Why an attempt brought no answer (the codes of `ext_response.error`; docs/delivery.md lists them). */
export type AttemptErrorCode =
  | 'connect_failed'
  | 'dns_failed'
  | 'tls_failed'
  | 'timeout'
  | 'connection_reset'
  | 'bad_response'
  | 'destination_refused'
  | 'cancelled';

export interface AttemptError {
  readonly code: AttemptErrorCode;
  /** One sentence for the app developer; names no resolved address. */
  readonly message: string;
  /** What the log may know and the app may not, such as the rule that refused a resolved address. */
  readonly internal?: string;
  /** The rule that refused the address, whatever the app is told. */
  readonly rule?: RefusalRule | undefined;
}

/** The end of one attempt: the destination answered, or it did not. */
export type AttemptOutcome = Connected &
  (
    | { readonly kind: 'answered'; readonly answer: DestinationAnswer }
    | { readonly kind: 'failed'; readonly error: AttemptError }
  );

interface Connected {
  /** The IP address that was connected to, TLS included; absent if no connection was made. For the record only. */
  readonly address?: string;
}
