import { bytesOfBase64 } from './base64.js';
import { isObject, textMember } from './problem.js';

/** What the destination answered. Like a `Response`, it is here whatever the status: look at `ok`. */
export class DestinationAnswer {
  /** Such as 201. */
  readonly status: number;
  /** The status with its standard reason, such as `201 Created`. */
  readonly statusLine: string;
  /** Whether the status is one of 200 to 299. */
  readonly ok: boolean;
  /** As many of the headers as the relay keeps, by name in lower case: `content-type`, `location`, `retry-after`. */
  readonly headers: Readonly<Record<string, string>>;
  /** Whether the body was cut off, at the relay's bound or because the connection broke. */
  readonly truncated: boolean;
  readonly #body: string;
  readonly #isBase64: boolean;

  /** From an `ext_response` as the relay writes it. */
  constructor(response: Readonly<Record<string, unknown>>) {
    const { status_code: code, headers } = response;
    this.statusLine = textMember(response, 'status') ?? '';
    // Older relays give the status as text alone.
    this.status = typeof code === 'number' ? code : Number.parseInt(this.statusLine, 10) || 0;
    this.ok = this.status >= 200 && this.status <= 299;
    this.headers = isObject(headers) ? textsOf(headers) : {};
    this.truncated = response['truncated'] === true;
    this.#body = textMember(response, 'body') ?? '';
    this.#isBase64 = response['encoding'] === 'base64';
  }

  /** The body as it came. */
  bytes(): Uint8Array<ArrayBuffer> {
    if (!this.#isBase64) return new TextEncoder().encode(this.#body);
    const bytes = bytesOfBase64(this.#body, 'standard');
    if (bytes === undefined) throw new TypeError('the relay sent a body that is not base64');
    return bytes;
  }

  /** The body as text; what is not UTF-8 in it is replaced by U+FFFD. */
  text(): string {
    return this.#isBase64 ? new TextDecoder().decode(this.bytes()) : this.#body;
  }

  /** The body as JSON; throws a `SyntaxError` where it is not. */
  json(): unknown {
    return JSON.parse(this.text());
  }
}

function textsOf(object: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(object).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
