/**
 * The part of Zest that fetching a secret takes: a CoAP-like message in one frame.
 *
 *     code:u8  options:u8  token length:u16be  token  (number:u16be  length:u16be  value) × options  payload
 *
 * Without padding. Everything here is a function of bytes.
 */

const get = 1;
const optionHost = 3;
const optionPath = 11;
export const optionContentFormat = 12;
const formatOfRequest = Uint8Array.of(0, 50);
const maxFieldBytes = 0xffff;

/** The answer's code when it carries the secret. */
export const codeContent = 69;
/** The answer's code until the platform has registered the service. */
export const codeUnauthorized = 129;

/** Refusals that an arbiter may answer with besides {@link codeUnauthorized}. */
export const refusals: ReadonlyMap<number, string> = new Map([
  [128, 'bad request'],
  [134, 'not acceptable'],
  [141, 'too large'],
  [143, 'unsupported content format'],
  [160, 'internal error'],
  [163, 'unavailable'],
]);

export interface SecretRequest {
  /** Content of the arbiter's token file, as it is. */
  readonly token: Uint8Array;
  /** The service's name: the arbiter knows a service by its name and token together. */
  readonly host: string;
}

export interface ZestOption {
  readonly number: number;
  readonly value: Uint8Array;
}

export type DecodedResponse =
  | {
      readonly ok: true;
      readonly code: number;
      readonly options: readonly ZestOption[];
      readonly payload: Uint8Array;
    }
  | { readonly ok: false; readonly reason: string };

/**
 * `GET /store/secret`. The order of the options is the one that the platform's own clients send.
 *
 * @throws RangeError if the token or the name is longer than the format can say (65535 bytes).
 */
export function encodeSecretRequest({ token, host }: SecretRequest): Uint8Array {
  const options: readonly ZestOption[] = [
    { number: optionPath, value: Buffer.from('/store/secret') },
    { number: optionHost, value: Buffer.from(host) },
    { number: optionContentFormat, value: formatOfRequest },
  ];
  const header = Buffer.concat([Buffer.of(get, options.length), u16(token.length), token]);
  return Buffer.concat([header, ...options.map(encodeOption)]);
}

function encodeOption({ number, value }: ZestOption): Uint8Array {
  return Buffer.concat([u16(number), u16(value.length), value]);
}

function u16(value: number): Uint8Array {
  if (value > maxFieldBytes) throw new RangeError(`a Zest field holds at most ${maxFieldBytes} bytes`);
  return Buffer.of(value >> 8, value & 0xff);
}

/** Takes an answer apart. Never throws: whatever came, either it is a message or there is a reason why not. */
export function decodeResponse(bytes: Uint8Array): DecodedResponse {
  const headerBytes = 4;
  if (bytes.length < headerBytes) return invalid(`${bytes.length} bytes, shorter than a header`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const optionCount = view.getUint8(1);
  if (view.getUint16(2) !== 0) return invalid('a token, which only requests carry');
  const options: ZestOption[] = [];
  let offset = headerBytes;
  for (let index = 1; index <= optionCount; index += 1) {
    const valueAt = offset + 4;
    if (valueAt > bytes.length) return invalid(`option ${index} of ${optionCount} is cut off`);
    const end = valueAt + view.getUint16(offset + 2);
    if (end > bytes.length) return invalid(`option ${index} of ${optionCount} is longer than the message`);
    options.push({ number: view.getUint16(offset), value: bytes.subarray(valueAt, end) });
    offset = end;
  }
  return { ok: true, code: view.getUint8(0), options, payload: bytes.subarray(offset) };
}

function invalid(reason: string): DecodedResponse {
  return { ok: false, reason };
}
