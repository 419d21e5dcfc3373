interface Second {
  readonly second: number;
  /** Up to the seconds and their point. */
  readonly text: string;
}

/** The texts of recent seconds, each in the place of its remainder; what is dealt with now is mostly recent. */
const seconds: Second[] = [];
const maxSeconds = 256;

/**
 * A wall-clock time as RFC 3339, UTC, to the millisecond. The text of a second is made once: measured, the three times
 * of a poll (two in its answer, one in its line of the log) took a twentieth of it.
 */
export function rfc3339(ms: number): string {
  const second = Math.floor(ms / 1000);
  const place = second & (maxSeconds - 1);
  let known = seconds[place];
  if (known?.second !== second) {
    known = { second, text: new Date(second * 1000).toISOString().slice(0, -'000Z'.length) };
    seconds[place] = known;
  }
  return `${known.text}${String(Math.floor(ms - second * 1000)).padStart(3, '0')}Z`;
}
