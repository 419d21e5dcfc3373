import test from 'ava';
import { type Outcome, expectOutcome, sharedRelay } from '../helpers/misbehaviour.js';
import { type Behaviour, startRawDestination } from '../helpers/raw_destination.js';

const timedOut: Outcome = { status: '504 Gateway Timeout', body: '', error: 'timeout' };

function drips(start: string, bytes: string): Behaviour {
  return async (peer) => {
    await peer.request();
    peer.send(start);
    peer.drip(bytes, 20);
  };
}

const rows: readonly (readonly [name: string, behaviour: Behaviour, expected: Outcome])[] = [
  ['a destination that accepts and says nothing', () => undefined, timedOut],
  ['a destination that reads the request and says nothing', (peer) => peer.request(), timedOut],
  ['a head that comes a byte at a time', drips('HTTP/1.1 200 OK\r\nx: ', 'y'), timedOut],
  ['interim responses now and then', drips('', 'HTTP/1.1 102 Processing\r\n\r\n'), timedOut],
  ['100 Continue and silence', drips('HTTP/1.1 100 Continue\r\n\r\n', ''), timedOut],
  ['half a 100 Continue and silence', drips('HTTP/1.1 100', ''), timedOut],
  [
    'a gigabyte announced, a little sent, and silence',
    drips('HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\nok', ''),
    { status: '200 OK', body: 'ok', truncated: true },
  ],
  [
    'chunks that stop coming',
    drips('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n', ''),
    { status: '200 OK', body: 'ok', truncated: true },
  ],
];

const relay = sharedRelay(['--attempts=1', '--attempt-timeout=300ms', '--job-timeout=20s']);

for (const [name, behaviour, expected] of rows) {
  // One after another, so that a busy machine does not take the good jobs past the deadline too.
  test.serial(`${name}: ${expected.error ?? expected.status}, at the deadline`, async (t) => {
    const startedMs = performance.now();
    await expectOutcome(t, await relay, behaviour, expected);
    t.true(performance.now() - startedMs >= 290);
  });
}

test.serial('a body that comes a byte at a time is cut at the deadline', async (t) => {
  const running = await relay;
  const dripping = drips('HTTP/1.1 200 OK\r\n\r\n', 'a');
  const destination = await startRawDestination(t, [dripping]);
  const { json } = await running.submit(destination.url);
  const { ext_response: answer, attempts } = await running.finished(json.id);
  t.like(answer, { status_code: 200, truncated: true });
  t.regex(answer.body ?? '', /^a{1,20}$/);
  t.is(attempts, 1);
});
