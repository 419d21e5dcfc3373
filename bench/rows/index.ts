import type { Row } from '../harness/row.js';
import { auditVerify } from './audit_verify.js';
import { journalStart, pendingJobs } from './backlog.js';
import { exports, oneLane } from './exports.js';
import { heldPollsRow } from './held_polls.js';
import { journalledSubmissions, polls, submissions } from './http_rates.js';
import { hangingLane, idleExport, longPoll, quietLane } from './latencies.js';

/** Everything the relay promises about its speed, in the order in which it is measured. */
export const rows: readonly Row[] = [
  polls,
  submissions,
  journalledSubmissions,
  exports,
  oneLane,
  quietLane,
  idleExport,
  longPoll,
  heldPollsRow,
  pendingJobs,
  journalStart,
  hangingLane,
  auditVerify,
];
