/**
 * What the admin listener's API answers, shared by the server and the page. Times are RFC 3339 in UTC. Texts that an
 * app could have written: `app`, `destination`, `path` and `purpose`; they are text and nothing else.
 */

export type ExportState = 'Pending' | 'Processing' | 'Finished' | 'Refused';

/**
 * How an export ended. `delivered`: answered with 2xx; `declined`: answered with anything else; `failed`: the relay
 * gave up; `cancelled`: by its app; `refused`: the macaroon or the policy did not permit it.
 */
export type Outcome = 'delivered' | 'declined' | 'failed' | 'cancelled' | 'refused';

/** Whether the data left: `perhaps` where it was sent and no answer says that it came, or an attempt is in flight. */
export type Departure = 'no' | 'perhaps' | 'yes';

/** One export, or one refusal. */
export interface ExportRow {
  /** Tells rows apart for as long as the relay runs. */
  readonly key: number;
  /** The first eight characters of the job's id, as in the log; empty for a refusal. No job can be opened with it. */
  readonly ref: string;
  readonly state: ExportState;
  /** Null while it is on its way. */
  readonly outcome: Outcome | null;
  /** Identifier of the macaroon; often empty. */
  readonly app: string;
  /** Scheme, host and port. */
  readonly destination: string;
  /** Without the query, which may hold tokens; cut where it is very long. */
  readonly path: string;
  /** Whether there was a query. */
  readonly query: boolean;
  readonly purpose: string | null;
  /** Size of the data. */
  readonly bytes: number;
  readonly left: Departure;
  readonly attempts: number;
  /** What the destination answered last. */
  readonly status: number | null;
  /** Why it failed or was refused, or what the last attempt failed with. */
  readonly code: string | null;
  /** The same in plain words. */
  readonly reason: string | null;
  readonly createdAt: string;
  readonly endedAt: string | null;
  /** When the next attempt is due, if one is. */
  readonly retryAt: string | null;
  /** How many refusals in a row, alike, this row stands for; 1 otherwise. */
  readonly times: number;
}

/** Part of the record: first what is on its way, oldest first; then what has ended, newest first. */
export interface ExportPage {
  readonly exports: readonly ExportRow[];
  /** Where the next page begins, as `cursor`; null at the end. */
  readonly next: string | null;
}

/** What the record holds of one app or one destination. */
export interface GroupTotals {
  readonly name: string;
  readonly exports: number;
  /** On their way. */
  readonly open: number;
  /** Declined or failed. */
  readonly problems: number;
  readonly refused: number;
  /** Of data that left, or perhaps did. */
  readonly bytes: number;
  readonly lastAt: string;
}

/** Those with the most exports, and how many more there are. */
export interface Groups {
  readonly top: readonly GroupTotals[];
  readonly others: number;
}

/** One lane with unfinished exports. */
export interface LaneFigures {
  readonly app: string;
  readonly destination: string;
  readonly pending: number;
  readonly processing: number;
  /** When the oldest of them was accepted. */
  readonly since: string;
}

/** What has ended in a span of time. */
export interface Span {
  readonly delivered: number;
  /** Declined, failed or cancelled. */
  readonly undelivered: number;
  readonly refused: number;
  /** Of data that left, or perhaps did. */
  readonly bytes: number;
}

/** A fill and its bound. */
export interface Gauge {
  readonly now: number;
  readonly max: number;
}

export interface Summary {
  readonly startedAt: string;
  readonly version: string;
  /** Why no exports are taken: the relay is stopping, or does not know its secret. Null if they are. */
  readonly notReady: string | null;
  /** Grows with every change of the record. */
  readonly revision: number;
  readonly open: { readonly pending: number; readonly processing: number };
  readonly last24Hours: Span;
  readonly record: {
    /** Ended exports and refusals that are held, of at most so many. */
    readonly held: Gauge;
    /** Those that had to make room. */
    readonly forgotten: number;
    readonly outcomes: Readonly<Record<Outcome, number>>;
  };
  readonly apps: Groups;
  readonly destinations: Groups;
  readonly queue: {
    readonly unfinished: Gauge;
    readonly inFlight: Gauge;
    readonly longPolls: Gauge;
    readonly memoryBytes: Gauge;
    /** Finished jobs whose result can still be read. */
    readonly keptResults: Gauge;
    readonly lanes: number;
    /** Those with the most unfinished exports. */
    readonly fullest: readonly LaneFigures[];
  };
  /** The audit log's file, if one is written. */
  readonly auditFile: string | null;
}

export type TimelineRange = '1h' | '24h';

/** Equal spans in order; the last one is not over yet. */
export interface Timeline {
  readonly from: string;
  readonly spanMs: number;
  readonly spans: readonly Span[];
}
