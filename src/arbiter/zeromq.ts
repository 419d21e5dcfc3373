/**
 * The optional package `zeromq`: the little of it that the relay uses, and how it is loaded. Its own types are not
 * used, so that the relay also builds where it is not installed.
 */
export interface Zeromq {
  readonly Request: new (options: RequestOptions) => RequestSocket;
  readonly curveKeyPair: () => { readonly publicKey: string; readonly secretKey: string };
}

interface RequestOptions {
  readonly curvePublicKey: string;
  readonly curveSecretKey: string;
  readonly curveServerKey: string;
  readonly immediate: boolean;
  readonly ipv6: boolean;
  /** Milliseconds a closed socket goes on trying to send. */
  readonly linger: number;
  /** In bytes; a peer that sends more is disconnected. */
  readonly maxMessageSize: number;
  /** Milliseconds; -1: never. */
  readonly reconnectInterval: number;
}

export interface RequestSocket {
  readonly events: { readonly on: (type: SocketEvent, listener: () => void) => unknown };
  readonly connect: (address: string) => void;
  readonly send: (message: Uint8Array) => Promise<void>;
  readonly receive: () => Promise<readonly Uint8Array[]>;
  readonly close: () => void;
}

type SocketEvent = 'connect' | 'connect:retry' | 'disconnect' | 'close';

export type LoadedZeromq =
  | { readonly ok: true; readonly zeromq: Zeromq }
  | { readonly ok: false; readonly detail: string };

/** Loads the package, which costs a native library and a thread: only where the arbiter speaks Zest. */
export async function loadZeromq(
  load: (name: string) => Promise<unknown> = (name) => import(name),
): Promise<LoadedZeromq> {
  const remedy =
    'install it beside the relay (npm install --include=optional), or use an http(s):// arbiter or a secret of your own';
  let loaded: unknown;
  try {
    loaded = await load('zeromq');
  } catch (error) {
    const missing = codeOf(error) === 'ERR_MODULE_NOT_FOUND' || codeOf(error) === 'MODULE_NOT_FOUND';
    const problem = missing ? 'is not installed' : 'does not load on this machine';
    return {
      ok: false,
      detail: `a tcp:// arbiter needs the optional package zeromq, which ${problem}: ${remedy}`,
    };
  }
  if (!isZeromq(loaded)) {
    return { ok: false, detail: `the installed package zeromq is not version 6 with CURVE: ${remedy}` };
  }
  return { ok: true, zeromq: loaded };
}

function isZeromq(loaded: unknown): loaded is Zeromq {
  if (typeof loaded !== 'object' || loaded === null) return false;
  if (!('Request' in loaded) || !('curveKeyPair' in loaded) || !('capability' in loaded)) return false;
  const { Request, curveKeyPair, capability } = loaded;
  const curve = typeof capability === 'object' && capability !== null && 'curve' in capability;
  return (
    typeof Request === 'function' && typeof curveKeyPair === 'function' && curve && capability.curve === true
  );
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
