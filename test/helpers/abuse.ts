import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { unfitForRecords } from '#relay/http/export_request.js';
import { type Piece, stepsOf } from './abuse_pieces.js';
import { eventually } from './eventually.js';
import { readFixture } from './fixture.js';
import { samplesOf } from './metrics.js';
import { open, post } from './raw.js';
import { type JobJson, type RelayUnderTest, startRelay } from './relay.js';
import { type Cleanup, type ScriptedDestination, startDestination } from './scripted_destination.js';

/** One thing that a hostile client does, and what must come of it. */
export interface Variant {
  readonly name: string;
  readonly send: readonly Piece[];
  /** Status and problem code, or state, of each answer. */
  readonly answers: readonly string[];
  /** Whether the relay closes the connection; else the next request on it is answered. */
  readonly closes?: true;
  /** What the destination gets; default: `{"k":1}` for each job. */
  readonly delivered?: readonly string[];
  /** Whether the client closes its sending side when it has sent everything. */
  readonly ends?: true;
}

export interface AbuseCase {
  readonly id: string;
  readonly area: string;
  readonly about: string;
  readonly variants?: readonly Variant[];
  /** Those that need a relay that does not wait long. */
  readonly slow?: readonly Variant[];
  /** Queries of long polls about a job that does not change. */
  readonly polls?: readonly { readonly query: string; readonly holds: boolean }[];
  /** Tests elsewhere: a file and, as it is written there, a title or the name of a row. */
  readonly tests?: readonly (readonly [file: string, title: string])[];
}

export function abuseCases(): readonly AbuseCase[] {
  return (readFixture('http_abuse.json') as { readonly cases: readonly AbuseCase[] }).cases;
}

/** A relay as it runs in earnest, but for a destination on the loopback. */
export interface World {
  readonly relay: RelayUnderTest;
  readonly destination: ScriptedDestination;
  /** A job that has ended. */
  readonly known: string;
}

/** Leaves no idle connection behind, so that those of the test can be counted. */
export const alone = { headers: { connection: 'close' } } as const;

export async function startWorld(t: Cleanup, flags: readonly string[] = []): Promise<World> {
  const destination = await startDestination(t);
  const reachable = ['--allow-http', '--allow-network=127.0.0.0/8', '--admin=off'];
  const relay = await startRelay(t, [...reachable, ...flags], { production: true });
  const { json } = await relay.submit(destination.url, '{}', alone);
  await relay.finished(json.id, alone);
  return { relay, destination, known: json.id };
}

export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** The whole answers in what a relay sent, interim ones left out; throws where something else stands. */
export function answersIn(text: string): readonly RawAnswer[] {
  const found: RawAnswer[] = [];
  let at = 0;
  while (at < text.length) {
    const bodyAt = text.indexOf('\r\n\r\n', at) + 4;
    if (bodyAt < 4) break;
    const head = text.slice(at, bodyAt);
    const status = Number(/^HTTP\/1\.1 (\d{3}) [^\r\n]*\r\n/.exec(head)?.[1]);
    if (Number.isNaN(status)) throw new Error(`no answer: ${JSON.stringify(head)}`);
    const end = bodyAt + Number(/^content-length: (\d+)\r$/im.exec(head)?.[1] ?? 0);
    if (end > text.length) break;
    if (status >= 200) found.push({ status, head, body: text.slice(bodyAt, end) });
    at = end;
  }
  return found;
}

/** Status and problem code, or state. */
function brief({ status, body }: RawAnswer): string {
  const json = body === '' ? undefined : (JSON.parse(body) as JobJson);
  return [status, json?.code ?? json?.state ?? []].flat().join(' ');
}

/** A client with everything the relay sent it. */
class HostileClient {
  readonly socket: Socket;
  received = '';

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1').on('data', (chunk: string) => (this.received += chunk));
  }

  async play(pieces: readonly Piece[], uri: string): Promise<void> {
    for (const step of stepsOf(pieces, uri)) {
      if ('pauseMs' in step) await delay(step.pauseMs);
      else if ('until' in step) await eventually(() => this.received.includes(step.until));
      else if (this.socket.writable) this.socket.write(step.write);
    }
  }

  async answered(count: number): Promise<void> {
    await eventually(() => this.socket.closed || answersIn(this.received).length >= count);
  }
}

/** Does what a variant says, and judges what the relay answers: the answers. */
export async function expectAnswers(
  t: ExecutionContext,
  { relay, destination }: World,
  { answers, closes, ends, send }: Variant,
): Promise<readonly RawAnswer[]> {
  const client = new HostileClient(await open(t, relay));
  await client.play(send, destination.url);
  if (ends === true) client.socket.end();
  await client.answered(answers.length);
  if (closes !== true) await stillInStep(t, client, answers.length);
  else if (!client.socket.closed) await closedSoon(client.socket);
  client.socket.destroy();
  const got = answersIn(client.received).slice(0, closes === true ? undefined : answers.length);
  const seen = got.map(brief);
  // Where versions of Node differ, either answer may come.
  t.deepEqual(
    seen,
    answers.map((answer, index) => answer.split(' or ').find((one) => one === seen[index]) ?? answer),
  );
  const told = got.some(({ head }) => /evil/i.test(head));
  t.false(told, 'nothing of the client’s is in a head');
  return got;
}

/** Also judges what else comes of it; nobody else may use the relay meanwhile. */
export async function expectVariant(t: ExecutionContext, world: World, variant: Variant): Promise<void> {
  const { relay, destination } = world;
  const [loggedBefore, arrivedBefore] = [relay.lines.length, destination.arrivals.length];
  const jobsBefore = jobsOf(relay);
  const accepted = (await expectAnswers(t, world, variant)).filter(({ status }) => status === 200);
  t.is(jobsOf(relay) - jobsBefore, accepted.length, 'no job but those that were answered');
  const { delivered = accepted.map(() => '{"k":1}') } = variant;
  await destination.arrived(arrivedBefore + delivered.length);
  t.deepEqual(
    destination.arrivals.slice(arrivedBefore).map(({ body }) => body.toString('latin1')),
    delivered,
  );
  await servesWell(t, world);
  for (const line of relay.lines.slice(loggedBefore)) {
    t.false(unfitForRecords.test(line.trimEnd()), line);
    t.not((JSON.parse(line) as { msg: string }).msg, 'bug', line);
    t.true(line.length < 1000, line);
  }
}

/** The next request on the connection gets the next answer, and it is its own. */
async function stillInStep(t: ExecutionContext, client: HostileClient, answered: number): Promise<void> {
  client.socket.write(post('/export', '{"id":"nobody"}'));
  await client.answered(answered + 1);
  t.deepEqual(answersIn(client.received).slice(answered).map(brief), ['404 unknown_job']);
}

async function closedSoon(socket: Socket): Promise<void> {
  await Promise.race([
    once(socket, 'close'),
    delay(3000, undefined, { ref: false }).then(() => {
      throw new Error('the connection is still open');
    }),
  ]);
}

/** Others are served as if nothing had happened. */
export async function servesWell(t: ExecutionContext, { relay, known }: World): Promise<void> {
  const startedMs = performance.now();
  t.like(await relay.post('/export', { id: known }, alone), { status: 200, json: { state: 'Finished' } });
  t.true(performance.now() - startedMs < 5000, 'a good request had to wait');
}

export function jobsOf({ service }: RelayUnderTest): number {
  const { pending, processing, finished } = service.stats();
  return pending + processing + finished;
}

/** Nothing is left of the clients that have gone. */
export async function nothingIsLeft(t: ExecutionContext, { relay }: World): Promise<void> {
  const connections = async (): Promise<number> =>
    samplesOf((await relay.service.metrics()).body).get('export_relay_connections{side="client"}') ?? NaN;
  await eventually(async () => (await connections()) === 0 && relay.service.stats().waiters === 0);
  t.deepEqual(relay.logged('bug'), []);
}
