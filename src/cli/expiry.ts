import { duration, type Unit } from '../config/units.js';

/** When a macaroon expires: at a time (ms since 1970), or some ms after it is minted. */
export type Expiry = { readonly kind: 'at' | 'after'; readonly ms: number };

const fromNow = duration({ maxMs: 3650 * 86_400_000 });
const expected = `a time with its zone such as 2030-01-31T12:00:00Z, or a duration from now such as 1h or 7d`;

/** What `--expires` takes: an RFC 3339 time, or a duration of at most ten years. */
export const expiry: Unit<Expiry> = {
  placeholder: 'TIME',
  expected,
  parse: (text) => {
    const at = parseTime(text.trim());
    if (at !== undefined) return { ok: true, value: { kind: 'at', ms: at } };
    const after = fromNow.parse(text);
    return after.ok ? { ok: true, value: { kind: 'after', ms: after.value } } : { ok: false, expected };
  },
  format: ({ kind, ms }) => (kind === 'at' ? formatTime(ms) : fromNow.format(ms)),
};

/** RFC 3339 in UTC; milliseconds only where there are any. */
export function formatTime(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}

const rfc3339 =
  /^(\d{4}-\d\d)-(\d\d)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/i;

/** ms since 1970; `undefined` for what is no RFC 3339 time or no day of the calendar. */
function parseTime(text: string): number | undefined {
  const [, month = '', day = ''] = rfc3339.exec(text) ?? [];
  // Date.parse takes 30 February for 2 March.
  const firstOfMonth = new Date(`${month}-01T00:00:00Z`);
  if (Number.isNaN(firstOfMonth.getTime())) return undefined;
  const lastDay = new Date(Date.UTC(firstOfMonth.getUTCFullYear(), firstOfMonth.getUTCMonth() + 1, 0));
  if (Number(day) < 1 || Number(day) > lastDay.getUTCDate()) return undefined;
  return Date.parse(text.toUpperCase());
}
