import { explain, listed } from './explain.js';
import { fitOf } from './fit.js';
import type { Predicate } from './predicate.js';

/** What all caveats together leave to whoever holds a macaroon, in words; or why they leave nothing. */
export type Allowance =
  | { readonly usable: true; readonly lines: readonly string[] }
  | { readonly usable: false; readonly reason: string };

/** Where requests can go: the ways in that the relay has. */
const entrances = [
  { path: '/export', method: 'POST' },
  { path: '/lp/export', method: 'POST' },
  { path: '/ws/export', method: 'GET' },
] as const;

const nothingDescribed = {
  target: undefined,
  path: undefined,
  method: undefined,
  destination: undefined,
  action: undefined,
  jobId: undefined,
  bytes: undefined,
  sha256Hex: undefined,
} as const;

const actions = ['submit', 'poll', 'cancel'] as const;
type Action = (typeof actions)[number];

/** `nowMs` is in milliseconds since 1970. */
export function allowanceOf(caveats: readonly Predicate[], nowMs: number): Allowance {
  const hopeless = caveats.find(({ kind }) => kind === 'unknown' || kind === 'third-party');
  if (hopeless !== undefined) return nothing(`it holds "${hopeless.text}": ${lowerFirst(explain(hopeless))}`);
  const open = entrances.filter((entrance) => permits(caveats, { ...nothingDescribed, ...entrance, nowMs }));
  if (open.length === 0) {
    const passed = caveats.some((caveat) => caveat.kind === 'time' && caveat.expiresAtMs <= nowMs);
    return nothing(passed ? 'its time has passed' : 'its path and method caveats fit none of the ways in');
  }
  const targets = distinct(caveats.flatMap((caveat) => (caveat.kind === 'target' ? [caveat.name] : [])));
  if (targets.length > 1) return nothing(`no relay has two names (${listed(targets, 'and')})`);
  const jobs = distinct(caveats.flatMap((caveat) => (caveat.kind === 'job' ? [caveat.jobId] : [])));
  if (jobs.length > 1) return nothing(`no request is about two jobs (${listed(jobs, 'and')})`);
  const allowed = actions.filter((action) => allowsAction(caveats, action));
  if (allowed.length === 0) return nothing('its action and job caveats exclude each other');
  return { usable: true, lines: describe(caveats, allowed, open, { jobs, targets }) };
}

function describe(
  caveats: readonly Predicate[],
  allowed: readonly Action[],
  open: readonly (typeof entrances)[number][],
  { jobs, targets }: { readonly jobs: readonly string[]; readonly targets: readonly string[] },
): readonly string[] {
  const destinations = caveats.flatMap((caveat) => (caveat.kind === 'destination' ? [caveat.pattern] : []));
  const sizes = caveats.flatMap((caveat) => (caveat.kind === 'bytes' ? [caveat.maxBytes] : []));
  const times = caveats.flatMap((caveat) => (caveat.kind === 'time' ? [caveat.expiresAtMs] : []));
  const known = jobs.length === 0 ? 'the jobs it may see' : `the job ${jobs.join()}`;
  const deeds = allowed.map((action) => (action === 'submit' ? 'submit new jobs' : `${action} ${known}`));
  return [
    `may ${listed(deeds, 'and')}`,
    destinations.length === 0
      ? 'for any destination that the relay allows'
      : `for destinations that match ${listed(destinations, 'and also')}`,
    `through ${listed(
      open.map(({ method, path }) => `${method} ${path}`),
      'and',
    )}`,
    ...targets.map((target) => `at the relay ${target}`),
    ...(sizes.length > 0 && allowed.includes('submit')
      ? [`with data of at most ${Math.min(...sizes)} bytes`]
      : []),
    ...(times.length === 0
      ? ['for ever: it has no time caveat']
      : [`until ${new Date(Math.min(...times)).toISOString()}`]),
  ];
}

function permits(caveats: readonly Predicate[], asked: Parameters<typeof fitOf>[1]): boolean {
  return caveats.every((caveat) => fitOf(caveat, asked).kind !== 'refused');
}

/** Whether the action is left for some job. That there is at most one was seen to before. */
function allowsAction(caveats: readonly Predicate[], action: Action): boolean {
  const about = caveats.filter(({ kind }) => kind === 'action' || kind === 'job');
  return permits(about, { ...nothingDescribed, action, nowMs: 0 });
}

function nothing(reason: string): Allowance {
  return { usable: false, reason: reason.replace(/\.$/, '') };
}

function distinct(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
