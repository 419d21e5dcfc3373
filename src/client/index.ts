/** The client library of export-relay: for apps, in Node and in browsers. */
export { DestinationAnswer } from './answer.js';
export {
  type CallOptions,
  type DryRun,
  ExportClient,
  type StatusOptions,
  type WaitOptions,
} from './client.js';
export {
  ExportAbortedError,
  ExportError,
  ExportFailedError,
  ExportTimeoutError,
  RelayConnectionError,
  RelayProblemError,
} from './errors.js';
export type { AnsweredJob, FailedJob, FinishedJob, Job, JobError, JobEvent, UnfinishedJob } from './job.js';
export {
  attenuate,
  inspect,
  type InspectedCaveat,
  type InspectedMacaroon,
  MacaroonError,
} from './macaroon.js';
export type { ExportClientOptions } from './options.js';
export type {
  ClientClock,
  FetchedResponse,
  FetchInit,
  FetchLike,
  Signal,
  SocketConstructor,
  SocketEvent,
  SocketLike,
} from './platform.js';
export type { Problem, ProblemField } from './problem.js';
export type { RetryReport } from './relay.js';
export type { SubmitOptions } from './submission.js';
