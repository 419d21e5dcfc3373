import { readFileSync } from 'node:fs';
import test from 'ava';
import { nextStep } from '#relay/delivery/retry.js';
import { viewOf } from '#relay/http/view.js';
import { type JobErrorCode, createJob, finish, parseJobId } from '#relay/job/job.js';
import { answered, newJob } from '../helpers/jobs.js';

/** The page without the spaces that align its tables. */
const page = readFileSync('docs/delivery.md', 'utf8').replace(/ +/g, ' ');
const limits = { attempts: 4, jobTimeoutMs: 600_000 };
const firstAttempt = { attempts: 1, elapsedMs: 0, nowMs: 0, random: 1 };

/** Every code, with whether an attempt that ends so is tried again; those of a job's end never are. */
const codes: Readonly<Record<JobErrorCode, boolean>> = {
  connect_failed: tried('connect_failed'),
  dns_failed: tried('dns_failed'),
  connection_reset: tried('connection_reset'),
  timeout: tried('timeout'),
  tls_failed: tried('tls_failed'),
  bad_response: tried('bad_response'),
  destination_refused: tried('destination_refused'),
  cancelled: tried('cancelled'),
  expired: false,
  interrupted: false,
};

function tried(code: Exclude<JobErrorCode, 'expired' | 'interrupted'>): boolean {
  const outcome = { kind: 'failed', error: { code, message: '' } } as const;
  return nextStep({ ...firstAttempt, outcome }, limits).kind === 'retry';
}

function statusOf(code: JobErrorCode): unknown {
  const id = parseJobId('5c0e1a52-7d35-4c5a-9d0f-2a4c7b8d9e10');
  if (id === undefined) throw new Error('no id');
  const job = finish(createJob(id, newJob(), 0), { kind: 'gave_up', error: { code, message: '' } }, 0);
  const view = JSON.parse(viewOf(job)) as { ext_response: { status: string } };
  return view.ext_response.status;
}

test('the table of codes says what the relay does', (t) => {
  const rows = [...page.matchAll(/^\| `(\w+)` \| (\d{3} [\w ]+) \| (yes|no) \|$/gm)].map(
    ([, code, status, again]) => [code, status, again],
  );
  const expected = Object.entries(codes).map(([code, again]) => [
    code,
    statusOf(code as JobErrorCode),
    again ? 'yes' : 'no',
  ]);
  t.deepEqual(rows, expected);
});

test('the statuses that are tried again are the ones the page names', (t) => {
  const named = /^\| answers ([\d, or]+) \| that answer, if it is the last \| yes \|$/m.exec(page)?.[1];
  const again = Array.from({ length: 900 }, (_none, index) => 100 + index).filter(
    (status) => nextStep({ ...firstAttempt, outcome: answered(status) }, limits).kind === 'retry',
  );
  t.deepEqual(named?.match(/\d+/g)?.map(Number), again);
});
