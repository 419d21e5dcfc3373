import type { JobErrorCode } from '../job/job.js';
import { statusLine } from '../http/status_line.js';
import type { Entry } from './entry.js';

/** Why it did not arrive, to the person whose data it is. */
const failures: Readonly<Record<JobErrorCode, string>> = {
  connect_failed: 'No connection to the destination could be made.',
  dns_failed: 'The name of the destination could not be found.',
  tls_failed: 'The destination could not prove that it is who it says.',
  timeout: 'The destination did not answer in time.',
  connection_reset: 'The connection broke before the destination answered.',
  bad_response: 'The destination answered something that is not HTTP.',
  destination_refused: 'The destination has an address that exports may not reach.',
  cancelled: 'The app cancelled it.',
  expired: 'It waited too long, or its permission ended first.',
  interrupted: 'The relay was stopped in the middle of it.',
};

/** What a permission can say, by the kind of caveat that was not satisfied. */
const caveats = new Map(
  Object.entries({
    target: "The app's permission is for another service.",
    path: "The app's permission does not cover this way of exporting.",
    method: "The app's permission does not cover this way of exporting.",
    destination: "The app's permission does not cover this destination.",
    time: "The app's permission has ended.",
    job: "The app's permission is for looking at one export only.",
    action: "The app's permission is not for exporting.",
    bytes: "The data is larger than the app's permission allows.",
    sha256: "The data is not what the app's permission is for.",
  }),
);

/** What the policy refuses, by rule; the other rules are classes of addresses. */
const rules = new Map(
  Object.entries({
    http: 'The connection would not be encrypted.',
    localhost: 'The destination is this machine itself.',
    loopback: 'The destination is this machine itself.',
    own_listener: 'The destination is the relay itself.',
    destination_not_listed: 'The destination is not among those that the operator allows.',
    require_destination: "The app's permission does not say where data may go.",
    private: 'The destination is inside the private network.',
    unique_local: 'The destination is inside the private network.',
    link_local: 'The destination is inside the private network.',
    cgnat: "The destination is inside the provider's network.",
  }),
);

const otherAddress = 'The destination has an address that is not on the public internet.';

/** Why an entry is no success, or what its last attempt met with; `undefined` if there is nothing to explain. */
export function reasonOf({ outcome, status, code, detail, connected }: Entry): string | undefined {
  if (outcome === 'delivered') return undefined;
  if (status !== undefined) return `The destination answered ${statusLine(status)}.`;
  if (code === undefined) return undefined;
  if (code === 'caveat_not_satisfied') {
    return caveats.get(detail ?? '') ?? "The app's permission does not cover this.";
  }
  if (code === 'destination_refused') return rules.get(detail ?? '') ?? otherAddress;
  // The app is told that the name cannot be found; whose data it is may know that it led where exports must not go.
  if (code === 'dns_failed' && isRule(detail)) {
    return 'The name of the destination leads to an address that exports may not reach.';
  }
  if (code === 'tls_failed' && connected) return 'The encrypted connection to the destination broke.';
  return isFailure(code) ? failures[code] : `The relay refused it (${code}).`;
}

function isRule(detail: string | undefined): boolean {
  // Rules are words in lower case; what a resolver reports is a code in capitals.
  return detail !== undefined && /^[a-z0-9_]+$/.test(detail);
}

function isFailure(code: string): code is JobErrorCode {
  return Object.hasOwn(failures, code);
}
