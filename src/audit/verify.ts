import { linesPerCheckpoint } from './composer.js';
import type { PublicKey } from './keys.js';
import { type Line, noHash, openLine } from './line.js';

/**
 * What can be wrong with a record:
 *
 * - `changed`: a line is not what was written there, whether or not somebody gave it a new hash;
 * - `missing`: lines are not there; `inserted`: a line is there that is not part of the record, or a second time;
 * - `reordered`: a line stands behind one that it comes before;
 * - `torn`: the last line has no end;
 * - `signature`: a checkpoint is not signed with this key, so that lines before it may have been written anew;
 * - `unsigned`: lines for which there should be a checkpoint have none;
 * - `cut`: the head that was noted earlier is not in the record.
 */
type Problem = 'changed' | 'missing' | 'inserted' | 'reordered' | 'torn' | 'signature' | 'unsigned' | 'cut';

/** Where a line stands. */
export interface Place {
  /** As it is to be shown. */
  readonly file: string;
  /** From 1 on. */
  readonly line: number;
}

/** One thing that is wrong with a record. */
export interface Finding {
  readonly problem: Problem;
  /** Where it shows. */
  readonly place: Place;
  /** Number of the line it is about, or of the first of them; `undefined` if it has none. */
  readonly seq: number | undefined;
  /** A sentence without its full stop. */
  readonly detail: string;
}

export interface Report {
  readonly ok: boolean;
  /** Lines that are what was written. */
  readonly lines: number;
  readonly first: Mark | undefined;
  readonly last: Mark | undefined;
  /** The last line that a valid signature covers: the checkpoint itself. */
  readonly checkpoint: Mark | undefined;
  /** Lines behind it. */
  readonly uncovered: number;
  /** Of the last line: to be noted, and compared with `--head` later. */
  readonly head: string | undefined;
  /** In the order of the record; the first hundred. */
  readonly findings: readonly Finding[];
  readonly moreFindings: number;
}

/** A line of the record and its time. */
export interface Mark {
  readonly seq: number;
  readonly time: string;
}

export interface VerifierOptions {
  readonly key: PublicKey;
  /** Whether the record may begin anywhere, because earlier files are kept elsewhere. */
  readonly partial?: boolean;
  /** A head that was noted earlier. */
  readonly head?: string | undefined;
}

const nowhere: Place = { file: 'record', line: 0 };
const maxFindings = 100;
const maxGaps = 100;
const maxBad = 100;

interface Gap {
  readonly place: Place;
  first: number;
  last: number;
}

/** An intact line that does not follow the intact line before it: one of the two was exchanged. */
interface Suspicion {
  readonly before: Place;
  readonly place: Place;
  readonly seq: number;
}

/** Reads a record line by line, in constant memory, and finds out what was done to it. */
export class Verifier {
  readonly #options: VerifierOptions;
  readonly #findings: { readonly order: number; readonly finding: Finding }[] = [];
  #moreFindings = 0;
  #order = 0;
  #expected: number | undefined;
  /** Of the line before; `undefined` where that is not known. */
  #hash: string | undefined = noHash;
  #last: { readonly line: Line; readonly place: Place } | undefined;
  #first: Mark | undefined;
  #checkpoint: Mark | undefined;
  #lines = 0;
  /** Since the last checkpoint. */
  #unsigned = 0;
  /** Of lines that are none, since the last intact one. */
  #bad: Place[] = [];
  #badCount = 0;
  readonly #gaps: (Gap & { readonly order: number })[] = [];
  #suspicion: (Suspicion & { readonly order: number }) | undefined;
  #headSeen = false;
  #otherKey = false;

  constructor(options: VerifierOptions) {
    this.#options = options;
    if (options.partial !== true) this.#expected = 1;
  }

  /** The next line, without its line feed. */
  add(bytes: Buffer, place: Place): void {
    const line = openLine(bytes);
    if (line === undefined) this.addBad(place);
    else this.addLine(line, place);
  }

  addLine(line: Line, place: Place): void {
    this.#order += 1;
    this.#lines += 1;
    if (this.#expected === undefined) {
      this.#expected = line.seq;
      this.#hash = undefined;
    }
    if (line.seq < this.#expected) this.#stray(line, place);
    else this.#continue(line, place, this.#expected);
  }

  /** What stands where a line should be. */
  addBad(place: Place): void {
    this.#order += 1;
    this.#badCount += 1;
    if (this.#bad.length < maxBad) this.#bad.push(place);
  }

  /** What stands at the end without a line feed. */
  addTorn(bytes: number, place: Place): void {
    this.#order += 1;
    const detail = `the last line is torn: ${bytes} bytes without a line's end`;
    this.#find({ problem: 'torn', place, seq: this.#expected, detail });
  }

  end(): Report {
    const { head } = this.#options;
    const last = this.#last;
    this.#settleSuspicion(undefined);
    this.#settleBad(this.#badCount, this.#expected ?? 1);
    for (const gap of this.#gaps) this.#reportGap(gap);
    if (last === undefined) this.#findNothing();
    if (head !== undefined && !this.#headSeen) {
      const place = last?.place ?? nowhere;
      const detail =
        'the head noted earlier is not in the record: lines were cut off its end, or written anew';
      this.#find({ problem: 'cut', place, seq: last?.line.seq, detail });
    }
    const findings = [...this.#findings].sort((a, b) => a.order - b.order).map(({ finding }) => finding);
    return {
      ok: findings.length === 0,
      lines: this.#lines,
      first: this.#first,
      last: last && markOf(last.line),
      checkpoint: this.#checkpoint,
      uncovered:
        last === undefined ? 0 : last.line.seq - (this.#checkpoint?.seq ?? (this.#first?.seq ?? 1) - 1),
      head: last?.line.hash,
      findings,
      moreFindings: this.#moreFindings,
    };
  }

  #findNothing(): void {
    const detail = 'there is no line that is what was written';
    this.#find({ problem: 'missing', place: nowhere, seq: this.#expected, detail });
  }

  /** A line that is where it should be, or behind some that are not there. */
  #continue(line: Line, place: Place, expected: number): void {
    const gap = line.seq - expected;
    const bad = this.#badCount;
    const damaged = gap > 0 || bad > 0;
    this.#settleBad(Math.min(bad, gap), expected);
    this.#dropInserted();
    if (gap > bad) this.#addGap({ place, first: expected + bad, last: line.seq - 1, order: this.#order });
    if (gap > 0) this.#hash = undefined;
    const follows = this.#hash === undefined || this.#hash === line.prev;
    const explained = this.#settleSuspicion(gap === 0 ? follows : undefined);
    if (!follows && !explained) this.#suspect(line, place);
    this.#unsigned = damaged || !follows ? 0 : this.#unsigned + 1;
    this.#first ??= markOf(line);
    this.#expected = line.seq + 1;
    this.#hash = line.hash;
    this.#last = { line, place };
    if (line.hash === this.#options.head) this.#headSeen = true;
    this.#checkSignature(line, place);
  }

  /** An intact line with a number that was passed already. */
  #stray(line: Line, place: Place): void {
    const { seq } = line;
    const at = this.#gaps.findIndex(({ first, last }) => seq >= first && seq <= last);
    const gap = this.#gaps[at];
    const behind = (this.#expected ?? 1) - 1;
    if (gap === undefined) {
      const detail = `a second line ${seq} stands behind line ${behind}`;
      this.#find({ problem: 'inserted', place, seq, detail });
      return;
    }
    const rest = [
      { ...gap, last: seq - 1 },
      { ...gap, first: seq + 1 },
    ].filter(({ first, last }) => first <= last);
    this.#gaps.splice(at, 1, ...rest);
    this.#find({ problem: 'reordered', place, seq, detail: `line ${seq} stands behind line ${behind}` });
    this.#boundGaps();
  }

  #checkSignature(line: Line, place: Place): void {
    const { key } = this.#options;
    if (line.kind === 'begin' && line.members['key'] !== key.fingerprint && !this.#otherKey) {
      this.#otherKey = true;
      const detail = `line ${line.seq} says that the record is signed with another key`;
      this.#find({ problem: 'signature', place, seq: line.seq, detail });
    }
    if (line.kind !== 'checkpoint') {
      if (this.#unsigned <= linesPerCheckpoint) return;
      this.#unsigned = 0;
      const detail = `line ${line.seq} is the last of more than ${linesPerCheckpoint} without a checkpoint`;
      this.#find({ problem: 'unsigned', place, seq: line.seq, detail });
      return;
    }
    this.#unsigned = 0;
    if (line.signed !== undefined && key.verify(line.signed)) {
      this.#checkpoint = markOf(line);
    } else if (!this.#otherKey) {
      const since = (this.#checkpoint?.seq ?? 0) + 1;
      const detail = `line ${line.seq} is a checkpoint with a wrong signature: lines ${since} to ${line.seq} may have been written anew`;
      this.#find({ problem: 'signature', place, seq: line.seq, detail });
    }
  }

  /** `count` of the lines that are none stand where lines from `seq` on should be. */
  #settleBad(count: number, seq: number): void {
    const changed = this.#bad.splice(0, count);
    this.#badCount -= count;
    changed.forEach((place, at) => {
      const detail = `line ${seq + at} was changed: its content does not match its hash`;
      this.#find({ problem: 'changed', place, seq: seq + at, detail });
    });
    this.#moreFindings += Math.max(0, count - changed.length);
  }

  /** Those that stand where no line is missing. */
  #dropInserted(): void {
    for (const place of this.#bad) {
      const detail = `what stands behind line ${(this.#expected ?? 1) - 1} is no line of the record`;
      this.#find({ problem: 'inserted', place, seq: undefined, detail });
    }
    this.#moreFindings += this.#badCount - this.#bad.length;
    this.#bad = [];
    this.#badCount = 0;
  }

  #suspect(line: Line, place: Place): void {
    const before = this.#last?.place ?? place;
    this.#suspicion = { before, place, seq: line.seq, order: this.#order };
  }

  /**
   * Of two lines that do not fit, the next one tells which was exchanged. `undefined` if there is no next. True if
   * what was found explains why the next does not fit either.
   */
  #settleSuspicion(nextFollows: boolean | undefined): boolean {
    const suspicion = this.#suspicion;
    this.#suspicion = undefined;
    if (suspicion === undefined) return false;
    const { before, place, seq, order } = suspicion;
    const itself = nextFollows === false || seq === 1;
    const detail = `line ${itself ? seq : seq - 1} was changed, and given a new hash: the ${itself ? 'lines around it do' : 'line behind it does'} not match it`;
    const finding: Finding = {
      problem: 'changed',
      place: itself ? place : before,
      seq: itself ? seq : seq - 1,
      detail,
    };
    this.#find(finding, order);
    return itself && nextFollows === false;
  }

  #addGap(gap: Gap & { readonly order: number }): void {
    this.#gaps.push(gap);
    this.#boundGaps();
  }

  /** Gives up the oldest of too many: of a shuffled record there are as many as lines, and each line looks through all. */
  #boundGaps(): void {
    if (this.#gaps.length <= maxGaps) return;
    const oldest = this.#gaps.shift();
    if (oldest !== undefined) this.#reportGap(oldest);
  }

  #reportGap({ place, first, last, order }: Gap & { readonly order: number }): void {
    const which = first === last ? `line ${first} is missing` : `lines ${first} to ${last} are missing`;
    this.#find({ problem: 'missing', place, seq: first, detail: `${which} before line ${last + 1}` }, order);
  }

  #find(finding: Finding, order = this.#order): void {
    if (this.#findings.length < maxFindings) this.#findings.push({ order, finding });
    else this.#moreFindings += 1;
  }
}

function markOf({ seq, time }: Line): Mark {
  return { seq, time };
}
