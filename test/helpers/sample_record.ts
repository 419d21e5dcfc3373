import type { Destination } from '#relay/egress/destination.js';
import { Ledger } from '#relay/admin/ledger.js';
import {
  type Job,
  type JobResult,
  createJob,
  endAttempt,
  finish,
  newJobId,
  startAttempt,
} from '#relay/job/job.js';
import { answered, destination } from './jobs.js';

interface Sample {
  readonly app: string;
  readonly uri: string;
  readonly purpose?: string;
  readonly bytes: number;
  /** How many of a hundred exports are like this one. */
  readonly share: number;
  readonly result: JobResult | 'refused';
  readonly detail?: string;
}

const parsed = new Map<string, Destination>();

/** Parsed once for all exports that go there, as a hundred thousand of them should be quick to make. */
function placeOf(uri: string): Destination {
  const known = parsed.get(uri) ?? destination(uri);
  parsed.set(uri, known);
  return known;
}

function gaveUp(code: 'timeout' | 'connect_failed' | 'dns_failed' | 'cancelled'): JobResult {
  return { kind: 'gave_up', error: { code, message: '' } };
}

function withStatus(statusCode: number): JobResult {
  const outcome = answered(statusCode);
  if (outcome.kind !== 'answered') throw new Error('no answer');
  return outcome;
}

/** What the apps of a box might export in a day. */
const samples: readonly Sample[] = [
  {
    app: 'energy-monitor',
    uri: 'https://grid.example.com/v1/readings',
    purpose: 'Compare your electricity use with similar homes',
    bytes: 1840,
    share: 38,
    result: withStatus(200),
  },
  {
    app: 'step-counter',
    uri: 'https://health.example.org/import/steps',
    purpose: 'Daily steps for your health diary',
    bytes: 612,
    share: 27,
    result: withStatus(201),
  },
  {
    app: 'photo-backup',
    uri: 'https://backup.example.net/album/2026?upload=1',
    purpose: 'Encrypted copy of new photos',
    bytes: 412_300,
    share: 17,
    result: withStatus(200),
  },
  {
    app: 'photo-backup',
    uri: 'https://backup.example.net/album/2026?upload=1',
    purpose: 'Encrypted copy of new photos',
    bytes: 388_120,
    share: 3,
    result: withStatus(507),
  },
  { app: '', uri: 'https://api.example.com/graphql', bytes: 2290, share: 8, result: withStatus(200) },
  {
    app: 'step-counter',
    uri: 'https://health.example.org/import/steps',
    purpose: 'Daily steps for your health diary',
    bytes: 655,
    share: 3,
    result: gaveUp('timeout'),
  },
  {
    app: 'energy-monitor',
    uri: 'https://old-grid.example.com/readings',
    bytes: 1770,
    share: 2,
    result: gaveUp('dns_failed'),
  },
  {
    app: 'free-game',
    uri: 'https://ads.example.net/collect',
    purpose: 'Personalised offers',
    bytes: 9400,
    share: 1,
    result: 'refused',
    detail: 'destination = https://scores.example.net/*',
  },
  { app: 'free-game', uri: 'http://192.168.1.1/', bytes: 40, share: 1, result: 'refused' },
];

/** A ledger whose clock stands at each entry's own time while it is filled, and goes on from `nowMs` afterwards. */
export function sampleLedger({
  count,
  spanMs,
  maxEntries = 100_000,
  nowMs = Date.now(),
}: {
  readonly count: number;
  readonly spanMs: number;
  readonly maxEntries?: number;
  readonly nowMs?: number;
}): Ledger {
  let fixedMs: number | undefined;
  const ledger = new Ledger({ maxEntries, nowMs: () => fixedMs ?? Date.now() });
  let random = 7;
  for (let index = 0; index < count; index += 1) {
    random = (random * 48_271) % 2_147_483_647;
    const part = index / count;
    // Busier at some hours than at others.
    const when = part + 0.05 * Math.sin(part * 4 * Math.PI);
    fixedMs = Math.floor(nowMs - spanMs * (1 - when));
    note(ledger, sampleAt(random % 100, part), fixedMs, random);
  }
  fixedMs = undefined;
  return ledger;
}

/** Trouble comes in spells: outside them, exports are delivered. */
function sampleAt(percent: number, part: number): Sample {
  const calm = part % 0.31 > 0.09 && percent % 9 !== 0;
  let sum = 0;
  for (const sample of samples) {
    if (calm && (sample.result === 'refused' || isTrouble(sample.result))) continue;
    sum += sample.share;
    if (percent < sum) return sample;
  }
  return sampleAt(percent - sum, part);
}

function isTrouble(result: JobResult): boolean {
  return result.kind === 'gave_up' || result.answer.statusCode >= 300;
}

function note(ledger: Ledger, sample: Sample, atMs: number, random: number): void {
  const { app, uri, purpose, bytes, result } = sample;
  const about = { owner: app, destination: placeOf(uri), ...(purpose === undefined ? {} : { purpose }) };
  const dataBytes = bytes + (random % Math.ceil(bytes / 3));
  if (result === 'refused') {
    const failure =
      sample.detail === undefined
        ? ({ code: 'destination_refused', rule: 'private', detail: '' } as const)
        : ({ code: 'caveat_not_satisfied', caveat: sample.detail, detail: '' } as const);
    ledger.onRefusal({ purpose: undefined, ...about, dataBytes, dataSha256: () => '', failure });
    return;
  }
  let job = createJob(newJobId(), { ...about, data: '', dataBytes, expiresAtMs: undefined }, atMs - 400);
  ledger.onChange(job);
  const attempts = result.kind === 'gave_up' ? 4 : 1;
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    job = startAttempt(job, atMs - 300);
    ledger.onChange(job);
    if (attempt < attempts - 1 && result.kind === 'gave_up')
      job = endAttempt(job, result.error.code, atMs, 10);
  }
  ledger.onChange(finish(job, result, atMs));
}

/** Adds exports that stay on their way: one leaves, one waits for its next attempt, the others for their turn. */
export function addOpen(ledger: Ledger, nowMs = Date.now()): readonly Job[] {
  const [energy, , photos] = samples;
  const jobs = [photos, energy, photos, photos].flatMap((sample, index) => {
    if (sample === undefined) return [];
    const { app, uri, purpose = '', bytes } = sample;
    const about = {
      owner: app,
      destination: destination(uri),
      purpose,
      data: '',
      dataBytes: bytes + index * 7919,
    };
    return createJob(newJobId(), { ...about, expiresAtMs: undefined }, nowMs - 9000 + index * 1500);
  });
  for (const job of jobs) ledger.onChange(job);
  const [leaving, retrying] = jobs;
  if (leaving !== undefined) ledger.onChange(startAttempt(leaving, nowMs));
  if (retrying !== undefined) {
    const job = startAttempt(retrying, nowMs);
    ledger.onChange(job);
    ledger.onAttempt({ job, outcome: answered(503), durationMs: 120, retryInMs: 20_000 });
  }
  return jobs;
}
