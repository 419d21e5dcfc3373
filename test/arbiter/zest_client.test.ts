import { getEventListeners, once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import MacaroonsDeSerializer from 'macaroons.js/lib/MacaroonsDeSerializer.js';
import MacaroonsVerifier from 'macaroons.js/lib/MacaroonsVerifier.js';
import test, { type ExecutionContext } from 'ava';
import { createArbiterFetch } from '#relay/arbiter/arbiter_fetch.js';
import { parseArbiterEndpoint } from '#relay/arbiter/endpoint.js';
import type { FetchOutcome, SecretFetch } from '#relay/arbiter/outcome.js';
import { freePort } from '../helpers/free_port.js';
import { WatchedSource } from '../helpers/arbiter_source.js';
import { SilentServer } from '../helpers/silent_server.js';
import { contentAnswer, loadReplyZeromq, type ReplyZeromq, ZestArbiter } from '../helpers/zest_arbiter.js';

const token = Buffer.of(0, 0xff, 0x41, 0x0a);
const name = 'export-service';
const never = (): AbortSignal => new AbortController().signal;

const installed = await loadReplyZeromq();
if (installed === undefined) {
  test.skip('the optional package zeromq is not installed, so Zest over ZeroMQ is not tested', (t) =>
    t.fail());
} else {
  defineTests(installed);
}

interface Where {
  readonly endpoint: string;
  readonly keys: { readonly publicKey: string };
}

async function fetchFrom({ endpoint, keys }: Where, timeoutMs = 10_000): Promise<SecretFetch> {
  const parsed = parseArbiterEndpoint(endpoint);
  if (!parsed.ok) throw new TypeError(parsed.reason);
  const made = await createArbiterFetch({
    endpoint: parsed.endpoint,
    token,
    serverKey: keys.publicKey,
    rootCa: undefined,
    serviceName: name,
    timeoutMs,
  });
  if (!made.ok) throw new TypeError(made.mistakes.join());
  return made.fetch;
}

/** What a failed try says. */
function detail(outcome: FetchOutcome): string {
  if (outcome.reason !== 'secret') return outcome.detail;
  throw new TypeError('a secret where none was to come');
}

function defineTests(zeromq: ReplyZeromq): void {
  const start = async (
    t: ExecutionContext,
    port?: number,
    keys = zeromq.curveKeyPair(),
  ): Promise<ZestArbiter> => {
    const arbiter = await ZestArbiter.start({ zeromq, keys, ...(port === undefined ? {} : { port }) });
    t.teardown(() => arbiter.close());
    return arbiter;
  };

  test('the secret comes over Zest, by a request that is right to the byte', async (t) => {
    const arbiter = await start(t);
    arbiter.register(name, token);
    const outcome = await (await fetchFrom(arbiter))(never());
    t.deepEqual(outcome, { reason: 'secret', secret: arbiter.secrets[0] ?? '' });
    t.deepEqual(arbiter.requests, [
      {
        code: 1,
        token,
        options: [
          [11, Buffer.from('/store/secret')],
          [3, Buffer.from(name)],
          [12, Buffer.of(0, 50)],
        ],
        payload: Buffer.alloc(0),
      },
    ]);
  });

  test('an IPv6 arbiter is reached', async (t) => {
    const arbiter = await start(t);
    // The double listens on IPv4 only: that the address is understood shows in the refusal.
    const where = { endpoint: `tcp://[::1]:${arbiter.port}`, keys: arbiter.keys };
    t.is((await (await fetchFrom(where))(never())).reason, 'unreachable');
  });

  test('many tries leave nothing behind on the signal they share', async (t) => {
    const arbiter = await start(t);
    const fetch = await fetchFrom(arbiter);
    const signal = never();
    for (let tries = 0; tries < 5; tries += 1) t.is((await fetch(signal)).reason, 'not_registered');
    t.deepEqual(getEventListeners(signal, 'abort'), []);
  });

  test('until the service is registered by name and token the answer is "not yet"', async (t) => {
    const arbiter = await start(t);
    const fetch = await fetchFrom(arbiter);
    arbiter.register(name, Buffer.from('another token'));
    arbiter.register('another name', token);
    const outcome = await fetch(never());
    t.is(outcome.reason, 'not_registered');
    t.regex(detail(outcome), /^129 \(unauthorized\)/);
    arbiter.register(name, token);
    t.is((await fetch(never())).reason, 'secret');
  });

  const answers: readonly (readonly [string, readonly Uint8Array[], FetchOutcome['reason'], RegExp])[] = [
    ...[128, 134, 141, 143, 160, 163].map(
      (code) => [`${code}`, [Buffer.of(code, 0, 0, 0)], 'refused', new RegExp(`^${code} \\(`)] as const,
    ),
    ['65', [Buffer.of(65, 0, 0, 0)], 'garbage', /the code 65/],
    ['a code nobody knows', [Buffer.of(0, 0, 0, 0)], 'garbage', /the code 0/],
    ['no bytes', [Buffer.alloc(0)], 'garbage', /not Zest: 0 bytes/],
    ['bytes that are not Zest', [Buffer.from('E hidden')], 'garbage', /not Zest/],
    ['two frames', [contentAnswer('hidden'), contentAnswer('hidden')], 'garbage', /2 frames/],
    ['an empty secret', [contentAnswer('')], 'empty_secret', /empty/],
    ['a secret of white space', [contentAnswer(' \t')], 'empty_secret', /empty/],
    ['a secret of bytes', [contentAnswer(Buffer.of(0xff, 0xfe))], 'garbage', /UTF-8/],
    ['a secret in lines', [contentAnswer('hidden\n')], 'garbage', /line breaks/],
    ['a secret without content format', [Buffer.from('E\0\0\0hidden')], 'garbage', /content format/],
    [
      'more than an answer may have',
      [contentAnswer('hidden'.repeat(1000))],
      'no_answer',
      /closed the connection/,
    ],
  ];
  for (const [what, frames, reason, pattern] of answers) {
    test(`answered with ${what}, a try ends as ${reason} and quotes nothing`, async (t) => {
      const arbiter = await start(t);
      arbiter.answerWith(...frames);
      const outcome = await (await fetchFrom(arbiter))(never());
      t.is(outcome.reason, reason);
      t.regex(detail(outcome), pattern);
      t.false(detail(outcome).includes('hidden'));
    });
  }

  test('nobody there is found out at once', async (t) => {
    const where = { endpoint: `tcp://127.0.0.1:${await freePort()}`, keys: zeromq.curveKeyPair() };
    t.deepEqual(await (await fetchFrom(where))(never()), {
      reason: 'unreachable',
      detail: 'no connection',
    });
  });

  test('a name that does not resolve is unreachable at the deadline', async (t) => {
    const where = { endpoint: 'tcp://arbiter.invalid:4444', keys: zeromq.curveKeyPair() };
    t.deepEqual(await (await fetchFrom(where, 100))(never()), {
      reason: 'unreachable',
      detail: 'no connection',
    });
  });

  test('a wrong server key, or a server that is no arbiter, names the key as what to look at', async (t) => {
    const arbiter = await start(t);
    const http = await SilentServer.start('HTTP/1.1 400 Bad Request\r\n\r\n');
    t.teardown(() => http.close());
    const silent = await SilentServer.start();
    t.teardown(() => silent.close());
    const stranger = zeromq.curveKeyPair();
    for (const endpoint of [arbiter.endpoint, `tcp://${http.authority}`, `tcp://${silent.authority}`]) {
      const outcome = await (await fetchFrom({ endpoint, keys: stranger }, 300))(never());
      t.is(outcome.reason, 'unreachable', endpoint);
      t.regex(detail(outcome), /CURVE handshake .* ZMQ_PUBLIC_KEY/, endpoint);
    }
    t.deepEqual(arbiter.requests, []);
  });

  test('a stop ends a try at once, before the connection, in the handshake and after the request', async (t) => {
    const silent = await SilentServer.start();
    t.teardown(() => silent.close());
    const handshaking = new WatchedSource(
      await fetchFrom({ endpoint: `tcp://${silent.authority}`, keys: zeromq.curveKeyPair() }, 60_000),
    );
    const socket = await silent.accepted();
    handshaking.stop();
    await handshaking.tried(1);
    if (!socket.destroyed) await once(socket, 'close');

    const arbiter = await start(t);
    arbiter.register(name, token);
    const arrived = arbiter.hang();
    const asking = new WatchedSource(await fetchFrom(arbiter, 60_000));
    await arrived;
    asking.stop();
    await asking.tried(1);
    arbiter.recover();
    t.deepEqual(asking.secrets, []);

    const stopped = new AbortController();
    stopped.abort();
    t.is((await (await fetchFrom(arbiter))(stopped.signal)).reason, 'unreachable');
  });

  test('an arbiter that goes away in the middle of a request costs no more than the try', async (t) => {
    const arbiter = await start(t);
    arbiter.register(name, token);
    const arrived = arbiter.hang();
    const source = new WatchedSource(await fetchFrom(arbiter));
    t.teardown(() => source.stop());
    await arrived;
    const { port, keys } = arbiter;
    arbiter.close();
    await source.tried(2);
    t.deepEqual(source.outcomes[0], {
      reason: 'no_answer',
      detail: 'it closed the connection instead of answering',
      mayRotateLater: true,
    });
    const successor = await start(t, port, keys);
    successor.register(name, token);
    t.is(await source.secret, successor.secrets.at(-1) ?? '');
  });

  test('whatever the arbiter answers first, the relay gets the secret in the end and asks no more', async (t) => {
    const former = await start(t);
    const { port, keys } = former;
    former.close();
    const source = new WatchedSource(await fetchFrom(former));
    t.teardown(() => source.stop());
    await source.tried(2);
    const arbiter = await start(t, port, keys);
    const until = async (reason: FetchOutcome['reason']): Promise<void> => {
      while (source.outcomes.at(-1)?.reason !== reason) await source.tried(source.outcomes.length + 1);
    };
    await until('not_registered');
    arbiter.answerWithCode(160);
    await until('refused');
    arbiter.answerWith(Buffer.from('garbage'));
    await until('garbage');
    arbiter.answerWith(contentAnswer(''));
    await until('empty_secret');
    t.deepEqual(source.secrets, []);
    arbiter.behave();
    arbiter.register(name, token);
    t.is(await source.secret, arbiter.secrets.at(-1) ?? '');
    t.is(arbiter.secrets.length, 1);
    t.is(source.waiting[0]?.reason, 'unreachable');
  });

  test('a request given up while the arbiter hung does not leave the relay with an outdated secret', async (t) => {
    const arbiter = await start(t);
    arbiter.register(name, token);
    // Somebody else's request: ZeroMQ puts the newest peer in the place of one that has nothing more to say.
    const arrived = arbiter.hang();
    const other = new AbortController();
    void (await fetchFrom(arbiter, 60_000))(other.signal);
    await arrived;
    const source = new WatchedSource(await fetchFrom(arbiter, 400));
    t.teardown(() => source.stop());
    // The other client, two tries that were given up, and the third, whose request waits with theirs.
    await arbiter.connected(4);
    // Nothing tells when a request lies in ZeroMQ's queue. Were it not there yet, the test would only prove less.
    await setTimeout(50);
    arbiter.recover();
    const secret = await source.secret;
    other.abort();
    t.is(secret, arbiter.secrets.at(-1) ?? '');
    t.deepEqual(
      source.outcomes.slice(0, 2).map(({ reason }) => reason),
      ['no_answer', 'no_answer'],
    );
  });

  test('what the arbiter mints verifies with the secret, until the secret is asked for again', async (t) => {
    const arbiter = await start(t);
    arbiter.register(name, token);
    const fetch = await fetchFrom(arbiter);
    t.is((await fetch(never())).reason, 'secret');
    const text = arbiter.mint({
      target: name,
      path: '/export',
      method: 'POST',
      grant: 'destination = https://a/',
    });
    t.is(
      MacaroonsDeSerializer.deserialize(text)
        .inspect()
        .replace(/signature .*\n/, ''),
      'location \nidentifier \ncid path = /export\ncid method = POST\ncid target = export-service\n' +
        'cid destination = https://a/\n',
    );
    const verifies = (): boolean =>
      new MacaroonsVerifier(MacaroonsDeSerializer.deserialize(text))
        .satisfyGeneral(() => true)
        .isValid(arbiter.secrets.at(-1) ?? '');
    t.true(verifies());
    t.is((await fetch(never())).reason, 'secret');
    t.false(verifies());
  });

  test('a relay that starts anew gets another secret', async (t) => {
    const arbiter = await start(t);
    arbiter.register(name, token);
    const secrets = [];
    for (let starts = 0; starts < 2; starts += 1) {
      const source = new WatchedSource(await fetchFrom(arbiter));
      secrets.push(await source.secret);
      source.stop();
    }
    t.deepEqual(secrets, arbiter.secrets);
    t.is(new Set(secrets).size, 2);
  });
}
