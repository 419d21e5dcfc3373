import { systemClock } from '../clock.js';
import { LineSink } from './line_sink.js';
import { createLogger, type Logger } from './logger.js';
import { terminalLine } from './terminal.js';

export interface LogOptions {
  readonly level: string;
  /** Writes a text, and calls back once it was taken. */
  readonly write: (text: string, taken: () => void) => void;
  /** Whether a person reads at a terminal, where lines are for eyes; everywhere else they are JSON. */
  readonly isTerminal: boolean;
  /** Of the terminal. */
  readonly colours: boolean;
  /** Wall clock. */
  readonly nowMs: () => number;
}

export interface Log {
  readonly logger: Logger;
  /** Hands over what is held, without waiting. */
  readonly flush: () => void;
  /** Lost since the beginning, because nobody read in time. */
  readonly lostLines: () => number;
}

/** Lines are lost, and counted, once this much waits for whoever reads the log; some 4,000 lines a megabyte. */
const maxHeldLog = 8 * 1024 ** 2;

export function openLog({ level, write, isTerminal, colours, nowMs }: LogOptions): Log {
  const format = isTerminal ? (line: string) => terminalLine(line, { colours }) : (line: string) => line;
  const sink = new LineSink({
    write,
    lossLine: (lines) => {
      const loss = { level: 'warn', time: new Date(nowMs()).toISOString(), lines, msg: 'log lines lost' };
      return format(`${JSON.stringify(loss)}\n`);
    },
    after: (delayMs, callback) => systemClock.after(delayMs, callback),
    maxHeld: maxHeldLog,
  });
  const destination = isTerminal ? { write: (line: string) => sink.write(format(line)) } : sink;
  return {
    logger: createLogger(level, destination),
    flush: () => sink.flush(),
    lostLines: () => sink.lostLines,
  };
}
