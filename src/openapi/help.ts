import type { RefusalRule } from '../egress/policy.js';
import type { Failure } from '../failure.js';
import type { JobErrorCode } from '../job/job.js';

/** What a code means, and what whoever meets it can do: Markdown, a sentence or two each. */
export interface Help {
  readonly means: string;
  readonly todo: string;
}

/** For every problem: in the OpenAPI document, at `/problems/<code>`, and in docs/errors.md. */
export const problemHelp: Readonly<Record<Failure['code'], Help>> = {
  malformed_request: {
    means: 'What came is not HTTP/1.1 that the relay can read, or has no `Host`.',
    todo: 'Use an HTTP library; look for a proxy that changes requests. The connection is closed.',
  },
  malformed_json: {
    means: 'The body is not JSON, not UTF-8, or broke off.',
    todo: 'Send one JSON object, encoded by a JSON library. Sending the same again gives the same answer, unless it broke off on the way.',
  },
  invalid_request: {
    means: 'The body, the query or a header has fields that are not as they must be; `errors` names each.',
    todo: 'Correct every field in `errors`: all are reported together.',
  },
  missing_macaroon: {
    means: 'The request has no macaroon.',
    todo: 'Send it in `X-Api-Key`, or as the user name of HTTP Basic.',
  },
  invalid_macaroon: {
    means: 'The macaroon cannot be read, no secret of the relay signed it, or there are two.',
    todo: 'Look at it with `export-relay inspect`. If it is whole, the relay has a new secret: ask the arbiter for a new macaroon.',
  },
  caveat_not_satisfied: {
    means:
      'The macaroon is genuine and does not allow this request; `caveat` is the first caveat that refuses it.',
    todo: 'Ask for what the macaroon allows, or ask the arbiter for one that allows this. `export-relay inspect` says which caveats a request fits.',
  },
  destination_refused: {
    means:
      'The macaroon would allow it and the operator does not, or the address lies where exports may not go; `rule` names the rule.',
    todo: 'By its `rule`: use a public `https:` destination, check the spelling of the name, or ask the operator for `--allow-destination`, `--allow-network` or `--allow-http`.',
  },
  origin_not_allowed: {
    means: 'A page of this origin has tried to open a WebSocket.',
    todo: 'Ask the operator to name the origin with `--cors-origin`.',
  },
  unknown_job: {
    means:
      'There is no job with this id that this macaroon may see: it never was, is forgotten, belongs to another macaroon, or goes to a destination that this one does not cover.',
    todo: 'Read results before `--result-ttl` is over, with the macaroon that submitted. Where it is forgotten, so is its `Idempotency-Key`: ask the destination whether it has the data before you export anew.',
  },
  not_found: {
    means: 'There is nothing at this path. Case and a slash at the end count.',
    todo: 'Exports go to `/export`, `/lp/export` and `/ws/export`.',
  },
  method_not_allowed: {
    means: 'The path exists and does not take this method; `Allow` lists those it takes.',
    todo: 'Use a method that `Allow` names.',
  },
  request_timeout: {
    means: 'The request did not arrive whole within `--request-timeout`.',
    todo: 'Send it again, on a new connection.',
  },
  body_too_large: {
    means: 'The body is larger than `--max-body`.',
    todo: 'Split the data into several jobs, or ask the operator for a higher limit.',
  },
  unsupported_media_type: {
    means: 'The body is compressed, or in a charset other than UTF-8.',
    todo: 'Send plain UTF-8. The media type itself does not matter.',
  },
  idempotency_conflict: {
    means: 'The `Idempotency-Key` was used with other data, and that job is still kept.',
    todo: 'Use a new key for new data. To learn what became of the first job, send its data again with the key.',
  },
  upgrade_required: {
    means: '`/ws/export` speaks WebSocket, version 13.',
    todo: 'Open it with a WebSocket client, or use `/lp/export`.',
  },
  lane_full: {
    means: 'There are `--max-queued-per-lane` unfinished jobs for this destination.',
    todo: 'Wait as long as `Retry-After` says, and submit again with the same `Idempotency-Key`.',
  },
  headers_too_large: {
    means:
      'The request line and the headers take more than 16 KiB together, or there are more than 100 headers.',
    todo: 'Send fewer or shorter headers; a macaroon takes at most 4 KiB.',
  },
  queue_full: {
    means: 'The relay holds as many jobs, or as much data, as it may.',
    todo: 'Wait as long as `Retry-After` says, and submit again with the same `Idempotency-Key`.',
  },
  too_many_waiters: {
    means: 'The relay holds as many long polls as it may.',
    todo: 'Wait as long as `Retry-After` says, or poll `/export`, which waits for nothing.',
  },
  no_secret: {
    means: 'The relay has just started and waits for the arbiter to give it its secret.',
    todo: 'Wait as long as `Retry-After` says, and try again.',
  },
  shutting_down: {
    means: 'The relay is stopping: it takes no new jobs and still answers about known ones.',
    todo: 'Wait as long as `Retry-After` says, and submit again with the same `Idempotency-Key`.',
  },
  storage_unavailable: {
    means: 'The relay cannot write its journal or its audit log; the disk may be full.',
    todo: 'Wait as long as `Retry-After` says, and submit again with the same `Idempotency-Key`. The operator makes room; no restart is needed.',
  },
  internal: {
    means: 'A bug of the relay. It says no more here; its log does.',
    todo: 'Give the operator the `request_id`, and submit again with the same `Idempotency-Key`.',
  },
};

/** For every `ext_response.error.code`: why a job is Finished although the destination gave no answer. */
export const jobErrorHelp: Readonly<Record<JobErrorCode, Help>> = {
  connect_failed: {
    means:
      'No connection to the destination could be made in the last attempt: nobody accepted it, or it broke before it was encrypted.',
    todo: 'See whether the destination runs, and its port. If `attempts` is more than 1, ask it whether it has the data; then submit anew.',
  },
  dns_failed: {
    means: 'In the last attempt, the name did not resolve to an address that exports may reach.',
    todo: 'Check the spelling. A name inside the box or its network needs the operator to `--allow-network` it.',
  },
  tls_failed: {
    means:
      'In the last attempt, the certificate of the destination was not valid for its name, there was no agreement on how to encrypt, or encryption failed later, as where a client certificate is demanded. Not tried again.',
    todo: 'The destination needs a valid certificate, and may not demand one of the relay. If the handshake failed, nothing was sent in that attempt; if encryption failed after it, the data may have arrived: `message` says which.',
  },
  connection_reset: {
    means:
      'The connection broke before the status of an answer, in the last attempt. The data may have arrived.',
    todo: 'Ask the destination whether it has the data: each attempt brought the job’s id as `Idempotency-Key`.',
  },
  bad_response: {
    means: 'What the destination answered is not HTTP. The data has probably arrived. Not tried again.',
    todo: 'See what listens at the destination.',
  },
  destination_refused: {
    means: 'The last attempt came upon an address that exports may not reach. Nothing was sent in it.',
    todo: 'Use a public destination, or ask the operator for `--allow-network`.',
  },
  timeout: {
    means:
      'No status came within `--attempt-timeout`, in the last attempt, or `--job-timeout` was over. The data may have arrived.',
    todo: 'Ask the destination whether it has the data; then submit anew, or ask the operator for longer timeouts.',
  },
  expired: {
    means:
      'The job waited longer than `--queue-timeout`, or the macaroon’s `time` passed, before an attempt brought an answer.',
    todo: 'Get a macaroon that lasts longer, and submit anew.',
  },
  cancelled: {
    means: 'The app cancelled the job. An attempt that was under way may have reached the destination.',
    todo: 'Nothing: this is what was asked for.',
  },
  interrupted: {
    means:
      'The relay was stopped during the attempt, too often to try again, or failed in it, which is a bug. The data may have arrived.',
    todo: 'Ask the destination whether it has the data; then submit anew.',
  },
};

const addressTodo =
  'Use a public address. If it is meant, the operator names its network with `--allow-network`.';

/** For every `rule` of the problem `destination_refused`: those of the policy, and two that stand beside it. */
export const ruleHelp: Readonly<Record<RefusalRule | 'require_destination' | 'unresolvable', Help>> = {
  http: {
    means: 'The uri begins with `http:`.',
    todo: 'Use `https:`, or ask the operator for `--allow-http`.',
  },
  destination_not_listed: {
    means: 'The operator has listed destinations, and this one is not among them.',
    todo: 'Ask the operator for `--allow-destination`.',
  },
  require_destination: {
    means: 'The relay takes only macaroons that name their destination (`--require-destination`).',
    todo: 'Append a `destination` caveat, or ask the arbiter for a macaroon that has one.',
  },
  unresolvable: {
    means: 'Of a dry run: the name did not resolve in time to an address that exports may reach.',
    todo: 'Check the spelling. A name inside the box or its network needs the operator to `--allow-network` it.',
  },
  own_listener: {
    means: 'The relay itself listens there.',
    todo: 'Use another destination: nothing allows this one.',
  },
  localhost: { means: '`localhost`, or a name below it.', todo: addressTodo },
  loopback: { means: 'An address of this machine, such as `127.0.0.1` or `::1`.', todo: addressTodo },
  unspecified: { means: 'The unspecified address: `::`, or one of `0.0.0.0/8`.', todo: addressTodo },
  private: { means: 'A private address, such as `10.0.0.0/8` or `192.168.0.0/16`.', todo: addressTodo },
  unique_local: { means: 'A private address of IPv6: `fc00::/7`.', todo: addressTodo },
  link_local: {
    means: 'A link-local address: `169.254.0.0/16`, where clouds have their metadata, or `fe80::/10`.',
    todo: addressTodo,
  },
  cgnat: { means: 'An address of a carrier’s shared range: `100.64.0.0/10`.', todo: addressTodo },
  cloud_host: {
    means: 'An address at which a cloud’s own host answers: `168.63.129.16`.',
    todo: addressTodo,
  },
  multicast: { means: 'A multicast address.', todo: addressTodo },
  documentation: {
    means: 'An address reserved for documentation, such as `192.0.2.0/24`.',
    todo: addressTodo,
  },
  benchmarking: { means: 'An address reserved for benchmarks, such as `198.18.0.0/15`.', todo: addressTodo },
  embedded_ipv4: {
    means: 'An IPv6 address that carries an IPv4 address, as NAT64 and 6to4 make them.',
    todo: addressTodo,
  },
  reserved: { means: 'An address that is reserved for something else.', todo: addressTodo },
  not_an_address: {
    means: 'What was to be connected to is no address.',
    todo: 'Use another destination: nothing allows this one.',
  },
};
