import test from 'ava';
import { answersAndCloses } from '../helpers/answers.js';
import { readFixture } from '../helpers/fixture.js';
import { outcomeOf, sharedRelay } from '../helpers/misbehaviour.js';
import { startRawDestination } from '../helpers/raw_destination.js';

interface RedirectCase {
  readonly status: number;
  readonly location: string;
}

const { redirects } = readFixture('destinations.json') as { readonly redirects: readonly RedirectCase[] };
const relay = sharedRelay(['--attempts=2']);

function answerWith(status: number, location: string): string {
  const header = location === '<missing>' ? '' : `location: ${location}\r\n`;
  return `HTTP/1.1 ${status} x\r\n${header}content-length: 0\r\n\r\n`;
}

for (const { status, location } of redirects) {
  test(`${status} to ${JSON.stringify(location)} is the answer, and not followed`, async (t) => {
    const destination = await startRawDestination(t, [answersAndCloses(answerWith(status, location))]);
    const { json } = await (await relay).submit(destination.url);
    const job = await (await relay).finished(json.id);
    const { status_code, headers, error } = job.ext_response;
    t.is(destination.requests.length, 1);
    t.is(job.attempts, 1);
    t.is(error, undefined);
    t.is(status_code, status);
    // A line break ends the header, and what follows is another one: nothing of it gets into this.
    const expected = location === '<missing>' ? undefined : location.split('\r\n', 1)[0];
    t.is(headers?.['location'], expected);
  });
}

test('a redirect to where exports may go is not followed either', async (t) => {
  const target = await startRawDestination(t, []);
  for (const status of [300, 301, 302, 303, 305, 307, 308]) {
    const destination = await startRawDestination(t, [answersAndCloses(answerWith(status, target.url))]);
    const { json } = await (await relay).submit(destination.url);
    const job = await (await relay).finished(json.id);
    t.like(outcomeOf(job), { body: '', attempts: 1 });
    t.is(job.ext_response.headers?.['location'], target.url);
  }
  t.is(target.accepted(), 0);
});
