import { Client } from './client.js';
import { post, question, submission } from './requests.js';
import { theReceiver } from './state.js';

/** All in milliseconds, one entry an export. */
export interface Latencies {
  readonly sentToArrived: readonly number[];
  readonly acceptedToArrived: readonly number[];
}

export interface ExportLatenciesOptions {
  readonly port: number;
  /** One lane for each, and one export at a time in it. */
  readonly macaroons: readonly string[];
  readonly data: string;
  /** Exports of each lane. */
  readonly count: number;
  /** From the arrival of one export to the next submission of its lane. */
  readonly pauseMs: number;
}

/** How long exports take from the app to this process's receiver. */
export async function exportLatencies(options: ExportLatenciesOptions): Promise<Latencies> {
  const receiver = theReceiver();
  const arrivals = arrivalsOf();
  const sentToArrived: number[] = [];
  const acceptedToArrived: number[] = [];
  await Promise.all(
    options.macaroons.map(async (macaroon, lane) => {
      const client = await Client.open(options.port);
      for (let at = 0; at < options.count; at += 1) {
        const path = `/in/${lane}/${at}`;
        const uri = `http://127.0.0.1:${receiver.port}${path}`;
        const body = submission(uri, options.data);
        const request = post({ path: '/export', macaroon, body });
        const arrival = arrivals.of(path);
        const sentAtMs = performance.now();
        const { status } = await client.send(request);
        const acceptedAtMs = performance.now();
        if (status !== 200) throw new Error(`the submission was answered ${status}`);
        const arrivedAtMs = await arrival;
        sentToArrived.push(arrivedAtMs - sentAtMs);
        // An export may arrive before the client has read that it was accepted.
        acceptedToArrived.push(Math.max(0, arrivedAtMs - acceptedAtMs));
        await pause(options.pauseMs);
      }
      client.close();
    }),
  );
  return { sentToArrived, acceptedToArrived };
}

/** The same body over the same kind of connection, straight to the receiver: what the machine alone takes. */
export async function directLatencies(options: {
  readonly data: string;
  readonly count: number;
  readonly pauseMs: number;
}): Promise<readonly number[]> {
  const receiver = theReceiver();
  const arrivals = arrivalsOf();
  const client = await Client.open(receiver.port);
  const latencies: number[] = [];
  for (let at = 0; at < options.count; at += 1) {
    const path = `/in/direct/${at}`;
    const request = post({ path, macaroon: '-', body: options.data });
    const arrival = arrivals.of(path);
    const sentAtMs = performance.now();
    const answered = client.send(request);
    latencies.push((await arrival) - sentAtMs);
    await answered;
    await pause(options.pauseMs);
  }
  client.close();
  return latencies;
}

/** From the destination's answer being written to the long poll's answer being read. */
export async function longPollLatencies(options: {
  readonly port: number;
  readonly macaroon: string;
  readonly data: string;
  readonly count: number;
}): Promise<readonly number[]> {
  const { port, macaroon, data } = options;
  const receiver = theReceiver();
  const answeredAtMs = new Map<string, number>();
  receiver.onAnswer = (path, atMs) => answeredAtMs.set(path, atMs);
  const [submitting, polling] = [await Client.open(port), await Client.open(port)];
  const latencies: number[] = [];
  for (let at = 0; at < options.count; at += 1) {
    const path = `/after/10/${at}`;
    const uri = `http://127.0.0.1:${receiver.port}${path}`;
    const submitted = await submitting.send(post({ path: '/export', macaroon, body: submission(uri, data) }));
    const id = /"id":"([^"]+)"/.exec(submitted.body)?.[1] ?? '';
    const polled = await polling.send(
      post({ path: '/lp/export?until=Finished&timeout=30', macaroon, body: question(id) }),
    );
    const readAtMs = performance.now();
    if (!polled.body.includes('"Finished"')) throw new Error(`the long poll was answered ${polled.body}`);
    latencies.push(readAtMs - (answeredAtMs.get(path) ?? Number.NaN));
  }
  submitting.close();
  polling.close();
  return latencies;
}

/** Tells when each path that is asked for has arrived at this process's receiver. */
function arrivalsOf(): { of: (path: string) => Promise<number> } {
  const waiting = new Map<string, (atMs: number) => void>();
  theReceiver().onArrival = (path, atMs) => {
    waiting.get(path)?.(atMs);
    waiting.delete(path);
  };
  return { of: (path) => new Promise((resolve) => waiting.set(path, resolve)) };
}

function pause(forMs: number): Promise<void> {
  return forMs === 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, forMs));
}
