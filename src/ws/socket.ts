import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Clock } from '../clock.js';
import { type Result, failed, success } from '../failure.js';
import { noteRequest, type RequestReport, type RequestSubject, socketRoute } from '../http/app.js';
import { caveatFailure } from '../http/authenticate.js';
import type { DryRun, Exports } from '../http/exports.js';
import type { IncomingBodies } from '../http/incoming.js';
import { problemOf } from '../http/problem.js';
import type { UnreadAnswers } from '../http/unread.js';
import type { Job } from '../job/job.js';
import type { JobRegistry } from '../job/registry.js';
import { checkRequest, expiresAtMs } from '../macaroon/caveats.js';
import type { VerifiedMacaroon } from '../macaroon/verify.js';
import { countArrivingFrame } from './arriving_frame.js';
import { Deadline } from './deadline.js';
import { Following } from './following.js';
import { type Frame, dryRunFrame, jobFrame, parseFrame, problemFrame } from './frame.js';
import { Heartbeat } from './heartbeat.js';
import { Turns } from './turns.js';

/** One socket that has closed, for the log. */
export interface SocketReport {
  readonly durationMs: number;
  /** What it was closed with; 1006 where it just broke. */
  readonly closeCode: number;
  /** Frames taken from the client, and jobs pushed to it without being asked about. */
  readonly frames: number;
  readonly pushes: number;
}

export interface SocketOptions {
  readonly clock: Clock;
  readonly registry: JobRegistry;
  readonly exports: Pick<Exports, 'submit' | 'ask' | 'dryRun'>;
  /** What a `target` caveat must name. */
  readonly name: string;
  readonly maxBodyBytes: number;
  /** Bounds what all clients together have begun to send. */
  readonly incoming: IncomingBodies;
  /** Bounds what all clients together have not read, beyond the bound that each socket has. */
  readonly unread: UnreadAnswers;
  /** What the socket runs over. */
  readonly connection: Socket;
  readonly onRequest: (report: RequestReport) => void;
  readonly onSocketClosed: (report: SocketReport) => void;
  readonly onBug: (error: unknown) => void;
}

/** What a frame is answered with when nothing went wrong. */
type Reply =
  | { readonly kind: 'job'; readonly job: Job }
  | { readonly kind: 'dry_run'; readonly dryRun: DryRun };

/** Close codes (RFC 6455, 7.4.1, and IANA's registry). */
export const closing = {
  goingAway: [1001, 'the relay is stopping'],
  unsupported: [1003, 'frames must be text'],
  policy: [1008, 'a time caveat of the macaroon has passed'],
  tryLater: [1013, 'too much waits, to be read or to come whole'],
} as const satisfies Record<string, readonly [number, string]>;

/** What may wait for a peer that does not read; what comes on top of it closes the socket. */
const maxUnsentBytes = 8 * 1024 * 1024;
/** Frames that may wait for their turn before no more are read. */
const maxWaitingFrames = 16;

/** One open socket: its requests are answered in order, and the jobs they were about are followed. */
export class ExportSocket {
  readonly #ws: WebSocket;
  readonly #macaroon: VerifiedMacaroon;
  readonly #options: SocketOptions;
  readonly #openedAtMs: number;
  readonly #turns: Turns;
  readonly #following: Following;
  readonly #heartbeat: Heartbeat;
  readonly #deadline: Deadline;
  #waiting = { frames: 0, bytes: 0 };
  #frames = 0;
  #pushes = 0;
  #closedWith: number | undefined;

  constructor(ws: WebSocket, macaroon: VerifiedMacaroon, options: SocketOptions) {
    const { clock, onBug } = options;
    this.#ws = ws;
    this.#macaroon = macaroon;
    this.#options = options;
    this.#openedAtMs = clock.monotonicMs();
    this.#turns = new Turns(onBug);
    this.#following = new Following({
      ...options,
      turns: this.#turns,
      push: (job) => this.#push(job),
      onLost: (id, failure) => this.#send(problemFrame(failure, randomUUID(), { id })),
    });
    this.#heartbeat = new Heartbeat({
      clock,
      ping: () => this.#ping(),
      isReading: () => !ws.isPaused,
      onDead: () => ws.terminate(),
    });
    this.#deadline = new Deadline(clock, expiresAtMs(macaroon), () => this.#close('policy'));
    countArrivingFrame(ws, options.connection, options.incoming, () => this.#giveUp());
    ws.on('message', (data, isBinary) => this.#take(data, isBinary));
    ws.on('pong', () => this.#heartbeat.heard());
    // The library has closed the socket with the code that fits: 1009 for a frame too large, 1007 for bad UTF-8, …
    ws.on('error', () => this.#release());
    ws.once('close', (code) => this.#closed(code));
  }

  /** Whether anything can still be sent. */
  get #isOpen(): boolean {
    return this.#closedWith === undefined && this.#ws.readyState === this.#ws.OPEN;
  }

  /** Answers what has been asked, and then closes. */
  async goAway(): Promise<void> {
    this.#following.stop();
    await this.#turns.done();
    this.#close('goingAway');
  }

  terminate(): void {
    this.#ws.terminate();
  }

  #take(data: unknown, isBinary: boolean): void {
    if (this.#closedWith !== undefined) return;
    if (isBinary || !Buffer.isBuffer(data)) {
      this.#close('unsupported');
      return;
    }
    const bytes = data.length;
    const text = data.toString('utf8');
    this.#frames += 1;
    this.#wait(1, bytes);
    void this.#turns.take(() => this.#serve(text)).then(() => this.#wait(-1, -bytes));
  }

  /** Reads no further while too much waits for its turn, so that a client queues in its own memory. */
  #wait(frames: number, bytes: number): void {
    this.#waiting = { frames: this.#waiting.frames + frames, bytes: this.#waiting.bytes + bytes };
    const isFull =
      this.#waiting.frames >= maxWaitingFrames || this.#waiting.bytes > this.#options.maxBodyBytes;
    if (isFull) this.#ws.pause();
    else if (this.#ws.isPaused) {
      this.#heartbeat.heard();
      this.#ws.resume();
    }
  }

  async #serve(text: string): Promise<void> {
    if (this.#closedWith !== undefined) return;
    const startedAtMs = this.#options.clock.monotonicMs();
    const requestId = randomUUID();
    const frame = parseFrame(text);
    const subject: RequestSubject = { owner: this.#macaroon.identifier };
    const result = await this.#answer(frame, subject);
    this.#send(frameOf(result, requestId, frame.ref));
    this.#report(result, requestId, startedAtMs, subject);
    if (result.ok && result.value.kind === 'job' && this.#isOpen) this.#following.answered(result.value.job);
    this.#deadline.check();
  }

  async #answer(frame: Frame, subject: RequestSubject): Promise<Result<Reply>> {
    try {
      const { name, clock } = this.#options;
      const facts = { target: name, path: socketRoute, method: 'GET', nowMs: clock.nowMs() };
      const verdict = checkRequest(this.#macaroon, facts);
      if (!verdict.satisfied) return caveatFailure(verdict);
      return await this.#ask(frame, subject);
    } catch (error) {
      this.#options.onBug(error);
      return failed({ code: 'internal', detail: 'The relay failed; its log says how.' });
    }
  }

  async #ask({ asked }: Frame, subject: RequestSubject): Promise<Result<Reply>> {
    if (!asked.ok) return asked;
    const { exports } = this.#options;
    const { request, idempotencyKey, dryRun } = asked.value;
    noteRequest(subject, request, dryRun);
    if (request.action === 'submit') subject.traceparent = request.traceparent;
    if (request.action !== 'submit') return jobReply(await exports.ask(request, this.#macaroon));
    if (dryRun) return dryRunReply(await exports.dryRun(request, this.#macaroon, idempotencyKey));
    // Only what can be followed is accepted: the client counts on being told.
    const refusal = this.#following.refusal();
    if (refusal !== undefined) return failed(refusal);
    return jobReply(await exports.submit(request, this.#macaroon, idempotencyKey));
  }

  #push(job: Job): void {
    this.#deadline.check();
    if (!this.#send(jobFrame(job))) return;
    this.#pushes += 1;
    if (job.state === 'Finished') this.#options.registry.markRead(job.id);
  }

  /** False where nothing can be sent any more. */
  #send(text: string): boolean {
    if (!this.#isOpen) return false;
    if (this.#ws.bufferedAmount > maxUnsentBytes) {
      this.#close('tryLater');
      return false;
    }
    const { unread, connection } = this.#options;
    this.#ws.send(text, unread.note(connection, Buffer.byteLength(text)));
    return true;
  }

  #ping(): void {
    this.#deadline.check();
    if (this.#ws.bufferedAmount > maxUnsentBytes) this.#close('tryLater');
    else if (this.#isOpen) this.#ws.ping();
  }

  #report(result: Result<Reply>, requestId: string, startedAtMs: number, subject: RequestSubject): void {
    const problem = result.ok ? undefined : problemOf(result.failure, requestId);
    this.#options.onRequest({
      requestId,
      method: 'GET',
      route: socketRoute,
      status: problem?.status ?? 200,
      durationMs: this.#options.clock.monotonicMs() - startedAtMs,
      level: problem?.level ?? 'info',
      failure: result.ok ? undefined : result.failure,
      job: result.ok && result.value.kind === 'job' ? result.value.job : undefined,
      subject,
    });
  }

  #close(why: keyof typeof closing): void {
    if (this.#closedWith !== undefined) return;
    const [code, reason] = closing[why];
    this.#closedWith = code;
    this.#release();
    this.#ws.close(code, reason);
    // A closing socket that is not read would never get to see the other side's goodbye.
    this.#ws.resume();
  }

  /** At once: what has come of a frame stays in memory as long as the connection. */
  #giveUp(): void {
    this.#close('tryLater');
    this.#ws.terminate();
  }

  #release(): void {
    this.#following.stop();
    this.#heartbeat.stop();
    this.#deadline.stop();
  }

  #closed(code: number): void {
    this.#release();
    const { clock, onSocketClosed } = this.#options;
    onSocketClosed({
      durationMs: clock.monotonicMs() - this.#openedAtMs,
      closeCode: this.#closedWith ?? code,
      frames: this.#frames,
      pushes: this.#pushes,
    });
    this.#closedWith ??= code;
  }
}

function jobReply(result: Result<Job>): Result<Reply> {
  return result.ok ? success({ kind: 'job', job: result.value }) : result;
}

function dryRunReply(result: Result<DryRun>): Result<Reply> {
  return result.ok ? success({ kind: 'dry_run', dryRun: result.value }) : result;
}

function frameOf(result: Result<Reply>, requestId: string, ref: string | undefined): string {
  if (!result.ok) return problemFrame(result.failure, requestId, { ref });
  return result.value.kind === 'job'
    ? jobFrame(result.value.job, ref)
    : dryRunFrame(result.value.dryRun, ref);
}
