import type { ArbiterEndpoint } from '../arbiter/endpoint.js';
import type { Network } from '../egress/network.js';
import { list, optional, type Setting, single, toggle, type ValuesOf } from './setting.js';
import {
  count,
  duration,
  integer,
  type LogLevel,
  logLevel,
  maxSizeBytes,
  maxSweptMs,
  maxTimerMs,
  port,
  size,
} from './units.js';
import {
  arbiterEndpoint,
  destinationPattern,
  filePath,
  host,
  type ListenAddress,
  listenAddress,
  name,
  network,
  secret,
  signingKey,
  webOrigin,
} from './words.js';

const mb = 1024 ** 2;
const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

/** A body stays well below the engine's longest string (about 512 MB). */
const requestBody = size({ maxBytes: 256 * mb });
/** An answer is handed on as JSON, where a byte may take six characters: still below the longest string. */
const responseBody = size({ maxBytes: 64 * mb });
const timer = duration({ maxMs: maxTimerMs });
const swept = duration({ maxMs: maxSweptMs });
/** See `leavesRoom` of the jobs. */
const reserve = 'Whoever has less than a 64th of it may go on until an eighth more is used.';

/**
 * Every setting of `serve`, and every bound it works within. The parser, `--help`, `--print-config`, the README's
 * table and the `Config` type are all made from this one table.
 */
export const settings = {
  port: single(port, {
    flag: 'port',
    short: 'p',
    variable: 'DATABOX_LOCAL_PORT',
    default: 8080,
    help: 'Port to listen on. With 0 the system picks a free one, and the line "listening on …" names it.',
  }),
  host: single(host, {
    flag: 'host',
    variable: 'EXPORT_HOST',
    default: '0.0.0.0',
    help: 'Address to listen on.',
  }),
  name: single(name, {
    flag: 'name',
    variable: 'DATABOX_LOCAL_NAME',
    default: 'export-service',
    help: 'Name of this service, which a macaroon\'s "target = …" caveat has to match.',
  }),
  secrets: list(secret, {
    flag: 'secret',
    short: 's',
    variable: 'EXPORT_SECRET',
    secret: true,
    help: 'Root secret of the macaroons. With several, each of them verifies, so that a secret can be replaced while macaroons of the old one are still around.',
  }),
  arbiter: optional(arbiterEndpoint, {
    flag: 'arbiter',
    variable: 'DATABOX_ARBITER_ENDPOINT',
    none: '–',
    help: 'Arbiter to fetch the macaroon secret from when none is given: tcp://host:4444 speaks Zest, http(s)://host:port HTTP.',
  }),
  secretsDir: single(filePath, {
    flag: 'secrets-dir',
    variable: 'EXPORT_SECRETS_DIR',
    default: '/run/secrets',
    help: 'Directory in which the platform puts ARBITER_TOKEN, ZMQ_PUBLIC_KEY, DATABOX.pem and DATABOX_ROOT_CA.',
  }),
  tls: optional(filePath, {
    flag: 'tls',
    variable: 'EXPORT_TLS',
    none: 'DATABOX.pem, if there is one',
    help: 'PEM file with certificate and key for HTTPS, read again when it changes. Without one the service speaks plain HTTP.',
  }),
  dev: toggle({
    flag: 'dev',
    help: 'For trying things out: a random secret, http: and private destinations allowed, listening on this machine only.',
  }),
  concurrency: single(count, {
    flag: 'concurrency',
    variable: 'EXPORT_CONCURRENCY',
    default: 256,
    help: 'Delivery attempts in flight at once.',
  }),
  laneConcurrency: single(count, {
    flag: 'lane-concurrency',
    variable: 'EXPORT_LANE_CONCURRENCY',
    default: 1,
    help: 'Attempts in flight at once per lane, that is per owner and destination origin. With 1, exports arrive in the order they were accepted.',
  }),
  maxQueued: single(count, {
    flag: 'max-queued',
    variable: 'EXPORT_MAX_QUEUED',
    default: 10_000,
    help: `Unfinished jobs in all; beyond it new ones are refused. ${reserve}`,
  }),
  maxQueuedPerLane: single(count, {
    flag: 'max-queued-per-lane',
    variable: 'EXPORT_MAX_QUEUED_PER_LANE',
    default: 1000,
    help: 'Unfinished jobs of one lane; beyond it new ones for that lane are refused.',
  }),
  maxBodyBytes: single(requestBody, {
    flag: 'max-body',
    variable: 'EXPORT_MAX_BODY',
    default: mb,
    help: 'Largest request body.',
  }),
  maxResponseBytes: single(responseBody, {
    flag: 'max-response',
    variable: 'EXPORT_MAX_RESPONSE',
    default: mb,
    help: "How much of a destination's answer is kept, counted after decompression; the rest is cut off.",
  }),
  maxMemoryBytes: single(size({ maxBytes: maxSizeBytes }), {
    flag: 'max-memory',
    variable: 'EXPORT_MAX_MEMORY',
    default: 256 * mb,
    help: `Payloads and kept answers together, uris and headers included. When it is full, results that were already read go first, then answers are kept without their body and new jobs are refused. ${reserve}`,
  }),
  maxKept: single(count, {
    flag: 'max-kept',
    variable: 'EXPORT_MAX_KEPT',
    default: 100_000,
    help: 'Finished jobs kept for reading; beyond it the ones already read go first, then the oldest.',
  }),
  resultTtlMs: single(swept, {
    flag: 'result-ttl',
    variable: 'EXPORT_RESULT_TTL',
    default: hour,
    help: 'How long a finished job can be read.',
  }),
  attempts: single(integer({ min: 1, max: 100 }), {
    flag: 'attempts',
    variable: 'EXPORT_ATTEMPTS',
    default: 4,
    help: 'Attempts to deliver one job before the relay gives up.',
  }),
  attemptTimeoutMs: single(timer, {
    flag: 'attempt-timeout',
    variable: 'EXPORT_ATTEMPT_TIMEOUT',
    default: 30 * second,
    help: 'Time for one attempt, from looking up the name to the last byte of the answer. Unless set, it is no longer than --job-timeout.',
  }),
  queueTimeoutMs: single(swept, {
    flag: 'queue-timeout',
    variable: 'EXPORT_QUEUE_TIMEOUT',
    default: 24 * hour,
    help: 'How long a job may wait for its first attempt before it ends as expired.',
  }),
  jobTimeoutMs: single(timer, {
    flag: 'job-timeout',
    variable: 'EXPORT_JOB_TIMEOUT',
    default: 10 * minute,
    help: 'Time from the first attempt until a job is finished, whatever its outcome.',
  }),
  maxWaitMs: single(duration({ minMs: 0, maxMs: maxTimerMs }), {
    flag: 'max-wait',
    variable: 'EXPORT_MAX_WAIT',
    default: 55 * second,
    help: 'Longest time a long poll is held, whatever its client asks for.',
  }),
  maxWaiters: single(count, {
    flag: 'max-waiters',
    variable: 'EXPORT_MAX_WAITERS',
    default: 20_000,
    help: `Long polls held, and jobs followed over WebSockets, at once; beyond it they are refused. ${reserve}`,
  }),
  maxConnections: single(count, {
    flag: 'max-connections',
    variable: 'EXPORT_MAX_CONNECTIONS',
    default: 25_000,
    help: 'Client connections open at once; beyond it new ones are closed unanswered, but for an eighth more for addresses that have less than a 64th.',
  }),
  requestTimeoutMs: single(timer, {
    flag: 'request-timeout',
    variable: 'EXPORT_REQUEST_TIMEOUT',
    default: 30 * second,
    help: 'Time for a client to send a whole request, headers included; one that reads nothing of its answer for so long is cut off.',
  }),
  allowHttp: toggle({
    flag: 'allow-http',
    variable: 'EXPORT_ALLOW_HTTP',
    help: 'Allow http: destinations, where data travels unencrypted.',
  }),
  allowNetworks: list(network, {
    flag: 'allow-network',
    variable: 'EXPORT_ALLOW_NETWORKS',
    help: 'Network that exports may reach although its addresses are not public.',
  }),
  allowDestinations: list(destinationPattern, {
    flag: 'allow-destination',
    variable: 'EXPORT_ALLOW_DESTINATIONS',
    none: 'any',
    help: 'Destination that exports may go to, written like a "destination = …" caveat. Once one is named, all others are refused.',
  }),
  requireDestination: toggle({
    flag: 'require-destination',
    variable: 'EXPORT_REQUIRE_DESTINATION',
    help: 'Refuse submissions whose macaroon names no destination.',
  }),
  corsOrigins: list(webOrigin, {
    flag: 'cors-origin',
    variable: 'EXPORT_CORS_ORIGINS',
    help: 'Origin whose pages may call the relay from a browser, such as https://app.example.',
  }),
  signingKeys: list(signingKey, {
    flag: 'signing-key',
    variable: 'EXPORT_SIGNING_KEY',
    secret: true,
    help: 'Key that deliveries are signed with, after Standard Webhooks. With several there is a signature for each, so that a key can be replaced.',
  }),
  journal: optional(filePath, {
    flag: 'journal',
    variable: 'EXPORT_JOURNAL',
    none: 'none: jobs end with the process',
    help: 'Directory on a local disk in which jobs are kept, so that they survive any stop. One process at a time can use it.',
  }),
  admin: single(listenAddress, {
    flag: 'admin',
    variable: 'EXPORT_ADMIN',
    default: { host: '127.0.0.1', port: 8081 },
    help: 'Address and port of the listener for the operator and the owner of the data: health, metrics, and a page that shows what leaves. It asks for no password, so it belongs on this machine or behind something that does; off disables it. Unless set, its port is free to choose where --port is 0.',
  }),
  audit: optional(filePath, {
    flag: 'audit',
    variable: 'EXPORT_AUDIT',
    none: 'none: nothing is recorded',
    help: 'File on a local disk for the record of what left and what was refused. While it cannot be written, nothing leaves. Made with FILE.key and FILE.pub if it is not there.',
  }),
  auditMaxBytes: single(size({ minBytes: 64 * 1024, maxBytes: 1024 * mb }), {
    flag: 'audit-max-size',
    variable: 'EXPORT_AUDIT_MAX_SIZE',
    default: 64 * mb,
    help: 'Size at which the file of the record becomes FILE.1, FILE.2 and so on, and another is begun. None is ever deleted.',
  }),
  adminHistory: single(integer({ min: 100, max: 10_000_000 }), {
    flag: 'admin-history',
    variable: 'EXPORT_ADMIN_HISTORY',
    default: 100_000,
    help: 'Ended exports that the page of the admin listener can show, and a tenth as many refusals; some 0.35 kB of memory each, and never more than 0.8 kB on average. The oldest make room. They are in memory only: the record that lasts is the audit log.',
  }),
  logLevel: single<LogLevel>(logLevel, {
    flag: 'log-level',
    variable: 'EXPORT_LOG_LEVEL',
    default: 'info',
    help: 'Least severe kind of line to log: trace, debug, info, warn, error, fatal or silent.',
  }),
} satisfies Record<
  string,
  | Setting<number>
  | Setting<string>
  | Setting<boolean>
  | Setting<LogLevel>
  | Setting<readonly string[]>
  | Setting<readonly Network[]>
  | Setting<string | undefined>
  | Setting<ArbiterEndpoint | undefined>
  | Setting<readonly Uint8Array[]>
  | Setting<ListenAddress | 'off'>
>;

/** What `serve` runs with: every setting's value, in the unit its name ends in. */
export type Config = ValuesOf<typeof settings>;
