import { randomUUID } from 'node:crypto';
import MacaroonsBuilder from 'macaroons.js/lib/MacaroonsBuilder.js';

/**
 * A double of the platform's Zest arbiter: a real ZeroMQ REP socket with CURVE, its own reading of the wire format
 * (nothing is shared with the relay's), and the habits that matter to a relay: 129 until registered, a new secret
 * with every fetch, macaroons without identifier and location.
 */
export interface ZestArbiterOptions {
  readonly zeromq: ReplyZeromq;
  /** To come back where a former arbiter was. */
  readonly port?: number;
  readonly keys?: KeyPair;
}

export interface KeyPair {
  readonly publicKey: string;
  readonly secretKey: string;
}

/** What of the package zeromq the double uses. */
export interface ReplyZeromq {
  readonly Reply: new (options: {
    readonly linger: number;
    readonly curveServer: boolean;
    readonly curveSecretKey: string;
  }) => ReplySocket;
  readonly curveKeyPair: () => KeyPair;
}

interface ReplySocket {
  readonly lastEndpoint: string | null;
  readonly bind: (address: string) => Promise<void>;
  readonly receive: () => Promise<readonly Uint8Array[]>;
  readonly send: (frames: readonly Uint8Array[]) => Promise<void>;
  readonly close: () => void;
  readonly events: { readonly on: (type: 'handshake', listener: () => void) => unknown };
}

/** The optional package, or `undefined` where it is not installed. */
export async function loadReplyZeromq(name = 'zeromq'): Promise<ReplyZeromq | undefined> {
  const loaded: unknown = await import(name).catch(() => undefined);
  return isReplyZeromq(loaded) ? loaded : undefined;
}

function isReplyZeromq(loaded: unknown): loaded is ReplyZeromq {
  return typeof loaded === 'object' && loaded !== null && 'Reply' in loaded && 'curveKeyPair' in loaded;
}

export interface MintRequest {
  readonly target: string;
  readonly path: string;
  readonly method: string;
  /** At most one more caveat, such as `destination = https://…`. */
  readonly grant?: string;
}

/** A request as it was read, field for field. */
export interface ReadRequest {
  readonly code: number;
  readonly token: Buffer;
  readonly options: readonly (readonly [number: number, value: Buffer])[];
  readonly payload: Buffer;
}

export class ZestArbiter {
  /** Every request, in the order in which they were worked off. */
  readonly requests: ReadRequest[] = [];
  /** Every secret that was given out, oldest first; only the last one counts. */
  readonly secrets: string[] = [];
  readonly keys: KeyPair;
  /** `tcp://host:port`. */
  readonly endpoint: string;
  readonly #socket: ReplySocket;
  readonly #registered = new Map<string, string>();
  #scripted: (() => readonly Uint8Array[]) | undefined;
  #gate: Promise<void> = Promise.resolve();
  #release = (): void => undefined;
  #handshakes = 0;
  #onHandshake = (): void => undefined;
  #arrived = (): void => undefined;

  private constructor(socket: ReplySocket, keys: KeyPair) {
    this.#socket = socket;
    this.keys = keys;
    this.endpoint = socket.lastEndpoint ?? '';
    socket.events.on('handshake', () => {
      this.#handshakes += 1;
      this.#onHandshake();
    });
  }

  static async start({
    zeromq,
    port,
    keys = zeromq.curveKeyPair(),
  }: ZestArbiterOptions): Promise<ZestArbiter> {
    const socket = new zeromq.Reply({ linger: 0, curveServer: true, curveSecretKey: keys.secretKey });
    await socket.bind(`tcp://127.0.0.1:${port ?? '*'}`);
    const arbiter = new ZestArbiter(socket, keys);
    void arbiter.#serve();
    return arbiter;
  }

  get port(): number {
    return Number(this.endpoint.split(':').at(-1));
  }

  /** What the platform does when it starts a service. */
  register(name: string, token: Uint8Array): void {
    this.#registered.set(name, Buffer.from(token).toString('hex'));
  }

  /** Answers everything with these frames, until `behave`. */
  answerWith(...frames: readonly Uint8Array[]): void {
    this.#scripted = () => frames;
  }

  answerWithCode(code: number): void {
    this.answerWith(Buffer.of(code, 0, 0, 0));
  }

  /** Answers as an arbiter does, again. */
  behave(): void {
    this.#scripted = undefined;
  }

  /** Hangs from the next request on; resolves when that one is there. */
  hang(): Promise<void> {
    this.#gate = new Promise((resolve) => (this.#release = resolve));
    return new Promise((resolve) => (this.#arrived = resolve));
  }

  /** Resolves when so many clients have connected, in all. */
  async connected(count: number): Promise<void> {
    while (this.#handshakes < count) await new Promise<void>((resolve) => (this.#onHandshake = resolve));
  }

  /** Works off whatever has come in meanwhile. */
  recover(): void {
    this.#release();
  }

  /** Mints as the arbiter does: path, method, target, then what was granted. */
  mint({ target, path, method, grant }: MintRequest): string {
    const builder = new MacaroonsBuilder('', this.secrets.at(-1) ?? '', '');
    for (const caveat of [`path = ${path}`, `method = ${method}`, `target = ${target}`, grant]) {
      if (caveat !== undefined) builder.add_first_party_caveat(caveat);
    }
    return builder.getMacaroon().serialize();
  }

  close(): void {
    this.#release();
    this.#socket.close();
  }

  async #serve(): Promise<void> {
    try {
      for (;;) {
        const frames = await this.#socket.receive();
        this.#arrived();
        await this.#gate;
        await this.#socket.send(this.#answer(frames));
      }
    } catch {
      // The socket was closed.
    }
  }

  #answer([frame]: readonly Uint8Array[]): readonly Uint8Array[] {
    const request = readRequest(Buffer.from(frame ?? []));
    if (request === undefined) return [Buffer.from('80000000', 'hex')];
    this.requests.push(request);
    if (this.#scripted !== undefined) return this.#scripted();
    const host = request.options.find(([number]) => number === 3)?.[1].toString() ?? '';
    if (this.#registered.get(host) !== request.token.toString('hex')) return [Buffer.from('81000000', 'hex')];
    const secret = randomUUID();
    this.secrets.push(secret);
    return [contentAnswer(secret)];
  }
}

/** 69, the content format 50, and the payload. */
export function contentAnswer(payload: string | Uint8Array): Buffer {
  return Buffer.concat([Buffer.from('45010000000c00020032', 'hex'), Buffer.from(payload)]);
}

/** Reads `GET /store/secret` as strictly as can be: `undefined` for anything else. */
export function readRequest(frame: Buffer): ReadRequest | undefined {
  let rest = frame;
  const take = (length: number): Buffer => {
    if (rest.length < length) throw new RangeError('cut off');
    const taken = rest.subarray(0, length);
    rest = rest.subarray(length);
    return taken;
  };
  try {
    const code = take(1).readUInt8();
    const count = take(1).readUInt8();
    const token = take(take(2).readUInt16BE());
    const options: [number, Buffer][] = [];
    while (options.length < count) {
      const number = take(2).readUInt16BE();
      options.push([number, take(take(2).readUInt16BE())]);
    }
    const order = options.map(([number]) => number).join();
    const path = options[0]?.[1].toString();
    const format = options[2]?.[1].toString('hex');
    const right = order === '11,3,12' && path === '/store/secret' && format === '0032' && rest.length === 0;
    return code === 1 && right ? { code, token, options, payload: rest } : undefined;
  } catch {
    return undefined;
  }
}
