const counts = new Intl.NumberFormat('en');
const oneDigit = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const timeOfDay = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const hourAndMinute = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const whole = new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeStyle: 'long' });

export function formatCount(count: number): string {
  return counts.format(count);
}

/** `1 export`, `2 exports`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** A size in decimal units, as people read them elsewhere. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let size = bytes;
  let unit = 0;
  // What would be rounded to 1,000 of a unit is 1 of the next.
  while (size >= 999.95 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${oneDigit.format(size)}\u00a0${units[unit] ?? ''}`;
}

/** Time of day, and the day if it is not today. */
export function formatTime(iso: string, now: Date): string {
  const time = new Date(iso);
  const isToday = time.toDateString() === now.toDateString();
  return isToday ? timeOfDay.format(time) : `${day.format(time)}, ${timeOfDay.format(time)}`;
}

/** Everything there is to say about a moment, for whoever points at it. */
export function formatWholeTime(iso: string): string {
  return whole.format(new Date(iso));
}

/** Hour and minute, for the ends of a time line. */
export function formatMinute(timeMs: number): string {
  return hourAndMinute.format(new Date(timeMs));
}

/** How long something has taken, in its two largest units. */
export function formatDuration(durationMs: number): string {
  const seconds = Math.max(0, Math.floor(durationMs / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}

/** An app's name; many macaroons have none. */
export function formatApp(app: string): string {
  return app === '' ? 'app without a name' : app;
}
