import type { Job, RetryReport } from '../client/index.js';
import { isGood, type Sent, wordsOf } from './send_words.js';

/** What somebody who waits is shown, on stderr: stdout is for results. */
export interface Progress {
  readonly began: (name: string) => void;
  readonly saw: (name: string, job: Job) => void;
  readonly retries: (name: string, report: RetryReport) => void;
  readonly ended: (name: string, sent: Sent) => void;
  /** Leaves the terminal as it should be. */
  readonly close: () => void;
}

export interface ProgressOptions {
  readonly stderr: (text: string) => void;
  /** The terminal's width; undefined where stderr is none. */
  readonly columns: () => number | undefined;
  readonly now: () => number;
  readonly total: number;
  /** Whether each end is a line of the results anyway. */
  readonly endsArePrinted: boolean;
}

/** A line for everything that happens where stderr is no terminal, else a spinner for one export and a bar for many. */
export function startProgress(options: ProgressOptions): Progress {
  if (options.columns() === undefined) return plainLines(options);
  return new Terminal(options);
}

function plainLines({ stderr, endsArePrinted }: ProgressOptions): Progress {
  return {
    began: () => undefined,
    saw: (name, job) => {
      if (job.state !== 'Finished') stderr(`${name}: ${stateOf(job)}\n`);
    },
    retries: (name, report) => stderr(`${name}: ${retryWords(report)}\n`),
    ended: (name, sent) => {
      if (!endsArePrinted) stderr(`${name}: ${wordsOf(sent)}\n`);
    },
    close: () => undefined,
  };
}

const frameMs = 100;
const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const barCells = 24;

/** One line that is drawn again and again; what stays is written above it. */
class Terminal implements Progress {
  readonly #options: ProgressOptions;
  readonly #startedAtMs: number;
  readonly #timer: NodeJS.Timeout;
  readonly #underWay = new Set<string>();
  #status = 'asking the relay';
  #done = 0;
  #failed = 0;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#startedAtMs = options.now();
    this.#timer = setInterval(() => this.#draw(), frameMs);
    this.#draw();
  }

  readonly began = (name: string): void => {
    this.#underWay.add(name);
  };

  readonly saw = (_name: string, job: Job): void => {
    this.#status = stateOf(job);
    this.#draw();
  };

  readonly retries = (_name: string, report: RetryReport): void => {
    this.#status = retryWords(report);
    this.#draw();
  };

  readonly ended = (name: string, sent: Sent): void => {
    this.#underWay.delete(name);
    this.#done += 1;
    if (!isGood(sent)) this.#failed += 1;
    const { stderr, total } = this.#options;
    if (total === 1) stderr(`\r\u001b[K${isGood(sent) ? '✔' : '✘'} ${wordsOf(sent)}, ${this.#elapsed()}\n`);
    else if (!isGood(sent)) stderr(`\r\u001b[K✘ ${name}: ${wordsOf(sent)}\n`);
    if (total > 1) this.#draw();
  };

  readonly close = (): void => {
    clearInterval(this.#timer);
    this.#options.stderr(this.#options.total > 1 ? `\r\u001b[K${this.#bar()}\n` : '\r\u001b[K');
  };

  #draw(): void {
    this.#options.stderr(`\r\u001b[K${this.#options.total > 1 ? this.#bar() : this.#spinner()}`);
  }

  /** A line that wrapped could not be drawn over. */
  #room(): number {
    return (this.#options.columns() ?? 80) - 1;
  }

  #spinner(): string {
    const frame = frames[Math.floor(this.#options.now() / frameMs) % frames.length] ?? '';
    const line = `${frame} ${this.#status}`;
    const elapsed = `, ${this.#elapsed()}`;
    const room = Math.max(0, this.#room() - elapsed.length);
    const shown = line.length > room ? `${line.slice(0, Math.max(0, room - 1))}…` : line;
    return (shown + elapsed).slice(0, this.#room());
  }

  #bar(): string {
    const { total } = this.#options;
    const failed = this.#failed === 0 ? '' : `, ${this.#failed} failed`;
    const underWay = this.#underWay.size === 0 ? '' : `, ${this.#underWay.size} under way`;
    const figures = ` ${this.#done}/${total}${failed}${underWay}, ${this.#elapsed()}`;
    const cells = Math.min(barCells, Math.max(0, this.#room() - figures.length));
    const filled = Math.floor((cells * this.#done) / total);
    return `${'█'.repeat(filled)}${'░'.repeat(cells - filled)}${figures}`.slice(0, this.#room());
  }

  #elapsed(): string {
    const seconds = (this.#options.now() - this.#startedAtMs) / 1000;
    return seconds < 60
      ? `${seconds.toFixed(1)} s`
      : `${Math.floor(seconds / 60)} m ${Math.floor(seconds % 60)} s`;
  }
}

function stateOf(job: Job): string {
  if (job.state === 'Pending') return `Pending, job ${job.id}`;
  return job.attempts > 0 ? `${job.state}, attempt ${job.attempts}` : job.state;
}

function retryWords({ error, delayMs }: RetryReport): string {
  return `${error.message}; trying again in ${(delayMs / 1000).toFixed(1)} s`;
}
