import { type DestinationStream, type Logger, pino } from 'pino';
import { rfc3339 } from '../instant.js';

export type { Logger };

/** Longest text from outside that goes into one field of a log line, in UTF-16 code units. */
const maxFieldLength = 200;

/** JSON lines: time, level and message first, then the fields of an allow-list that the caller names one by one. */
export function createLogger(level: string, destination: DestinationStream): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${rfc3339(Date.now())}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
}

/** Text from outside, cut so that nobody can flood the log with one field. */
export function cut(text: string): string {
  return text.length > maxFieldLength ? `${text.slice(0, maxFieldLength)}…` : text;
}
