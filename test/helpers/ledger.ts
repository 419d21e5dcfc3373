import type { ServerResponse } from 'node:http';
import {
  type Arrival,
  type Cleanup,
  type ScriptedDestination,
  startDestination,
} from './scripted_destination.js';

/** What has arrived of one job. */
export interface Delivered {
  /** Bodies, one for each arrival. */
  readonly bodies: string[];
  /** Requests that have no answer yet, on connections that are open. */
  open: number;
}

/** A destination that keeps account of what arrives under which idempotency key. */
export class Ledger {
  readonly deliveries = new Map<string, Delivered>();
  /** Deliveries that began while another of the same job was under way. */
  overlaps = 0;
  /** What it does once an arrival is noted. */
  answer: (response: ServerResponse, arrival: Arrival) => void = (response) => response.end('ok');
  readonly #destination: ScriptedDestination;

  constructor(destination: ScriptedDestination) {
    this.#destination = destination;
    destination.script = (arrival, response) => this.#note(arrival, response);
  }

  static async start(t: Cleanup): Promise<Ledger> {
    return new Ledger(await startDestination(t));
  }

  get url(): string {
    return this.#destination.url;
  }

  get arrivals(): number {
    return this.#destination.arrivals.length;
  }

  arrived(count: number): Promise<void> {
    return this.#destination.arrived(count);
  }

  /** How often a job's data has arrived. */
  count(id: string): number {
    return this.deliveries.get(id)?.bodies.length ?? 0;
  }

  /** Jobs of which something arrived that was not theirs. */
  wrong(dataById: ReadonlyMap<string, string>): number {
    return [...this.deliveries].filter(([id, { bodies }]) => {
      const data = dataById.get(id);
      return bodies.some((body) => body !== (data ?? bodies[0]));
    }).length;
  }

  #note(arrival: Arrival, response: ServerResponse): void {
    const key = String(arrival.headers['idempotency-key']);
    let delivered = this.deliveries.get(key);
    if (delivered === undefined) {
      delivered = { bodies: [], open: 0 };
      this.deliveries.set(key, delivered);
    }
    const one = delivered;
    if (one.open > 0) this.overlaps += 1;
    one.bodies.push(arrival.body.toString());
    one.open += 1;
    response.on('close', () => (one.open -= 1));
    this.answer(response, arrival);
  }
}
