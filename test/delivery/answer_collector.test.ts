import test from 'ava';
import type { Dispatcher } from 'undici';
import { AnswerCollector } from '#relay/delivery/answer_collector.js';
import { timedOut } from '#relay/delivery/classify.js';

/** A collector has no wishes. */
const controller: Dispatcher.DispatchController = {
  aborted: false,
  paused: false,
  reason: null,
  abort: () => undefined,
  pause: () => undefined,
  resume: () => undefined,
};

/** What a collector was told of one answer, in order: a head, a piece of its body, an error, the end. */
type Told = number | string | Error | null;

/** What is collected from that; each answer has the header `x-status`, and at most four bytes are kept. */
async function collect(...events: readonly Told[]): Promise<string> {
  const collector = new AnswerCollector(4);
  collector.onRequestStart();
  for (const event of events) {
    if (event === null) collector.onResponseEnd();
    else if (typeof event === 'number') {
      collector.onResponseStart(controller, event, { 'x-status': String(event) });
    } else if (typeof event === 'string') collector.onResponseData(controller, Buffer.from(event));
    else collector.onResponseError(controller, event);
  }
  const collected = await Promise.race([collector.collected, Promise.resolve(undefined)]);
  if (collected === undefined) return 'nothing yet';
  if (collected.kind === 'failed') return collected.error.code;
  const { kind, statusCode, headers, body } = collected;
  return `${kind} ${statusCode}/${String(headers['x-status'])} ${body.bytes.toString()}${body.truncated ? '…' : ''}`;
}

const broken = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });

const rows: readonly (readonly [name: string, events: readonly Told[], collected: string])[] = [
  ['a head and no end', [200, 'ab'], 'nothing yet'],
  ['an answer in pieces', [200, 'ab', 'cd', null], 'answered 200/200 abcd'],
  ['more than is kept', [200, 'ab', 'cde'], 'answered 200/200 abcd…'],
  ['more than is kept, and the end', [200, 'abcde', null], 'answered 200/200 abcd…'],
  ['the first status that is an answer', [200, null], 'answered 200/200 '],
  ['the last status that is none', [199, null], 'nothing yet'],
  ['an interim response first', [103, 201, 'a', null], 'answered 201/201 a'],
  ['204, whose end is its head', [204], 'answered 204/204 '],
  ['304, whose end is its head', [304], 'answered 304/304 '],
  ['205, whose end is its own', [205], 'nothing yet'],
  ['305, whose end is its own', [305], 'nothing yet'],
  ['an error instead of a head', [broken], 'connection_reset'],
  ['an error after an interim response', [100, broken], 'connection_reset'],
  ['an error within the body', [200, 'ab', broken], 'answered 200/200 ab…'],
  ['an error after the end', [200, 'ab', null, broken], 'answered 200/200 ab'],
  ['the end of nothing, and then an error', [null, timedOut], 'timeout'],
];

for (const [name, events, collected] of rows) {
  test(`${name}: ${collected}`, async (t) => {
    t.is(await collect(...events), collected);
  });
}
