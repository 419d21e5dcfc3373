import test from 'ava';
import { type ArbiterSetup, checkArbiterSetup, createArbiterFetch } from '#relay/arbiter/arbiter_fetch.js';
import { apiKeyFromToken } from '#relay/arbiter/http_client.js';
import { loadZeromq } from '#relay/arbiter/zeromq.js';
import { testCa } from '../helpers/tls.js';

/** The example key of ZeroMQ's own documentation. */
const serverKey = 'rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7';

const zest: ArbiterSetup = {
  endpoint: { protocol: 'zest', address: 'tcp://127.0.0.1:4444', ipv6: false },
  token: Buffer.from('token'),
  serverKey,
  rootCa: undefined,
  serviceName: 'export-service',
};
const https: ArbiterSetup = {
  ...zest,
  endpoint: { protocol: 'http', address: 'https://arbiter:8080', tls: true },
  serverKey: undefined,
};
const pem = testCa();

test('a setup that an arbiter can be asked with has no mistakes', (t) => {
  const setups: readonly ArbiterSetup[] = [
    zest,
    { ...zest, serverKey: `${serverKey}\n` },
    { ...zest, rootCa: 'not looked at' },
    { ...zest, token: Buffer.of(0, 255) },
    https,
    { ...https, rootCa: pem },
    { ...https, serverKey: 'not looked at', rootCa: pem },
  ];
  for (const setup of setups) t.deepEqual(checkArbiterSetup(setup), []);
});

test('every mistake is told at once, by the name of its file', (t) => {
  const setups: readonly (readonly [ArbiterSetup, readonly RegExp[]])[] = [
    [{ ...zest, token: undefined, serverKey: undefined }, [/^ARBITER_TOKEN/, /^ZMQ_PUBLIC_KEY/]],
    [{ ...zest, token: Buffer.alloc(0) }, [/^ARBITER_TOKEN is empty/]],
    [{ ...zest, token: Buffer.from(' \n') }, [/^ARBITER_TOKEN is empty/]],
    [{ ...zest, token: Buffer.alloc(8193) }, [/^ARBITER_TOKEN is longer/]],
    [{ ...zest, serverKey: serverKey.slice(1) }, [/^ZMQ_PUBLIC_KEY must be 40/]],
    [{ ...zest, serverKey: `"${serverKey.slice(1)}` }, [/^ZMQ_PUBLIC_KEY must be 40/]],
    [{ ...zest, serverKey: `#####${serverKey.slice(5)}` }, [/^ZMQ_PUBLIC_KEY must be 40/]],
    [{ ...zest, serviceName: '' }, [/name/]],
    [{ ...https, token: undefined, rootCa: 'no PEM' }, [/^ARBITER_TOKEN/, /^DATABOX_ROOT_CA/]],
  ];
  for (const [setup, expected] of setups) {
    const mistakes = checkArbiterSetup(setup);
    t.is(mistakes.length, expected.length);
    for (const [index, pattern] of expected.entries()) t.regex(mistakes[index] ?? '', pattern);
    t.false(mistakes.join().includes(serverKey.slice(5)));
  }
});

test('the same mistakes keep a client from being made', async (t) => {
  const made = await createArbiterFetch({ ...https, token: undefined });
  t.deepEqual(made, { ok: false, mistakes: checkArbiterSetup({ ...https, token: undefined }) });
});

test('without zeromq a tcp:// arbiter is a mistake that says what to install, and https works', async (t) => {
  const missing = Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
  const load = (): ReturnType<typeof loadZeromq> => loadZeromq(() => Promise.reject(missing));
  const made = await createArbiterFetch(zest, load);
  if (made.ok) return t.fail('a client without zeromq');
  t.is(made.mistakes.length, 1);
  t.regex(made.mistakes[0] ?? '', /zeromq, which is not installed: install it/);
  t.true((await createArbiterFetch(https, load)).ok);
});

test('a zeromq that does not load or is another one is a mistake too', async (t) => {
  const loads: readonly (readonly [() => Promise<unknown>, RegExp])[] = [
    [() => Promise.reject(new Error('/lib/libc.so.6: version not found')), /does not load on this machine/],
    [() => Promise.resolve({ socket: () => undefined }), /not version 6 with CURVE/],
    [
      () => Promise.resolve({ Request: Object, curveKeyPair: Object, capability: { curve: false } }),
      /not version 6 with CURVE/,
    ],
    [() => Promise.resolve(undefined), /not version 6 with CURVE/],
  ];
  for (const [load, reason] of loads) {
    const loaded = await loadZeromq(load);
    if (loaded.ok) return t.fail(String(reason));
    t.regex(loaded.detail, reason);
  }
});

test('zeromq is loaded by its name, once for a tcp:// arbiter and not at all for another', async (t) => {
  const names: string[] = [];
  const load = (): ReturnType<typeof loadZeromq> =>
    loadZeromq((name) => {
      names.push(name);
      return Promise.resolve({ Request: Object, curveKeyPair: Object, capability: { curve: true } });
    });
  t.true((await createArbiterFetch(https, load)).ok);
  t.deepEqual(names, []);
  t.true((await createArbiterFetch(zest, load)).ok);
  t.deepEqual(names, ['zeromq']);
});

test('the API key is the token as text, or its base64 where it is not printable', (t) => {
  const tokens = [
    [Buffer.from('s3cret token~'), 's3cret token~'],
    [Buffer.from('token\n'), 'token'],
    [Buffer.from('token\r\n'), 'token'],
    [Buffer.of(0x61, 0x00), 'YQA='],
    [Buffer.of(0xff, 0xfe), '//4='],
    [Buffer.from('tokén'), 'dG9rw6lu'],
    [Buffer.from('two\nlines'), 'dHdvCmxpbmVz'],
    [Buffer.from(''), undefined],
    [Buffer.from('\n'), undefined],
    [Buffer.from('  '), undefined],
  ] as const;
  for (const [token, key] of tokens) t.is(apiKeyFromToken(token), key);
});
