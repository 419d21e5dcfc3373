import { setImmediate as turn } from 'node:timers/promises';
import { dice } from '../helpers/dice.js';
import { minimise } from './minimise.js';
import { mutate } from './mutate.js';
import type { Run, Target } from './target.js';

/** An input that broke something. */
export interface Breakage {
  /** Which of the seed's inputs it was. */
  readonly index: number;
  /** As short as it was made without any other failure. */
  readonly input: Buffer;
  readonly what: string;
}

export interface CampaignReport {
  readonly inputs: number;
  readonly breakage: Breakage | undefined;
}

export interface CampaignOptions {
  readonly seed: number;
  /** Asked before each input, with how many there were. */
  readonly more: (inputs: number) => boolean;
  readonly onInput?: (index: number) => void;
}

/** Longer than any input may take. */
const limitMs = 1000;
/** What runs without a pause lets nobody else in; now and then it does. */
const inputsPerTurn = 64;

/**
 * Plays the corpus, then mutations of it, until one breaks something. The same seed gives the same inputs: each is made
 * of the seed and its index alone.
 */
export async function campaign(target: Target, options: CampaignOptions): Promise<CampaignReport> {
  const { seed, more, onInput = () => undefined } = options;
  const releases: (() => unknown)[] = [];
  const strays = new Strays();
  const corpus = target.corpus();
  try {
    const run = await target.open({ teardown: (release) => void releases.push(release) });
    let index = 0;
    for (; more(index); index += 1) {
      onInput(index);
      const input = corpus[index] ?? mutate(dice(seed + Math.imul(index, 0x9e3779b1)), { ...target, corpus });
      const what = await play(run, input, strays);
      if (what !== undefined) {
        const kind = what.slice(0, 40);
        const same = async (shorter: Buffer): Promise<boolean> =>
          (await play(run, shorter, strays))?.startsWith(kind) === true;
        return { inputs: index + 1, breakage: { index, input: await minimise(input, same), what } };
      }
      if (index % inputsPerTurn === 0) await turn();
    }
    return { inputs: index, breakage: undefined };
  } finally {
    for (const release of releases.reverse()) await release();
    strays.close();
  }
}

/** Plays one input: what is wrong with it, or `undefined`. */
export async function play(run: Run, input: Buffer, strays: Strays): Promise<string | undefined> {
  const first = await playOnce(run, input, strays);
  // A machine that was busy is no hang.
  return first?.startsWith(tooSlow) === true ? playOnce(run, input, strays) : first;
}

const tooSlow = `took more than ${limitMs} ms`;

async function playOnce(run: Run, input: Buffer, strays: Strays): Promise<string | undefined> {
  const begunAtMs = performance.now();
  try {
    const running = run(input);
    if (running !== undefined && (await isLate(running))) return tooSlow;
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
  return performance.now() - begunAtMs > limitMs ? tooSlow : strays.take();
}

async function isLate(running: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(true), limitMs);
  });
  try {
    return await Promise.race([running.then(() => false), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Exceptions that nobody caught and rejections that nobody handled. */
export class Strays {
  #found: string | undefined;
  readonly #note = (error: unknown): void => {
    this.#found ??= `uncaught: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  };

  constructor() {
    process.on('uncaughtException', this.#note).on('unhandledRejection', this.#note);
  }

  /** The first since this was asked last. */
  take(): string | undefined {
    const found = this.#found;
    this.#found = undefined;
    return found;
  }

  close(): void {
    process.off('uncaughtException', this.#note).off('unhandledRejection', this.#note);
  }
}
