const pattern = /^(\d{4}-\d\d-\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:Z|([+-])(\d\d):(\d\d))$/i;

/**
 * Milliseconds since 1970 of an RFC 3339 time, or `undefined` for what is not one: no zone, no seconds, a day the
 * calendar does not have. Digits beyond milliseconds are cut off, which for an expiry errs towards earlier. The
 * leap second `:60` is refused: the clock it is held against never shows it.
 */
export function parseRfc3339(text: string): number | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [, date = '', hour, minute, second, fraction = '', sign, offsetHour = '0', offsetMinute = '0'] =
    match;
  const midnight = midnightMs(date);
  if (midnight === undefined) return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  if (Number(offsetHour) > 23 || Number(offsetMinute) > 59) return undefined;
  const ms = Number(fraction.slice(0, 3).padEnd(3, '0'));
  const localMs = midnight + ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000 + ms;
  const offsetMs = (Number(offsetHour) * 60 + Number(offsetMinute)) * 60_000;
  return sign === '-' ? localMs + offsetMs : localMs - offsetMs;
}

function midnightMs(date: string): number | undefined {
  const ms = Date.parse(`${date}T00:00:00Z`);
  if (Number.isNaN(ms)) return undefined;
  // Date.parse reads 30 February as 2 March.
  return new Date(ms).toISOString().startsWith(date) ? ms : undefined;
}
