import test from 'ava';
import fc from 'fast-check';
import { forge, hashOf, problems, sampleRecord, textOf, verifyText } from '../helpers/audit.js';

const record = sampleRecord(130);
const lastLine = record.length;
const head = hashOf(record.at(-1) ?? '');
const isCheckpoint = (seq: number): boolean => record[seq - 1]?.includes('"kind":"checkpoint"') === true;

/** The record with the lines from `at` on (counted from 0) replaced. */
function spliced(at: number, removed: number, ...added: readonly string[]): string {
  return textOf(record.toSpliced(at, removed, ...added));
}

test('a record as it was written is whole, to its last line and under its last signature', (t) => {
  const report = verifyText(textOf(record), { head });
  t.deepEqual(problems(report), []);
  t.like(report, { ok: true, lines: lastLine, uncovered: 0, head });
  t.is(report.checkpoint?.seq, lastLine);
});

const names = ['a changed byte', 'a removed line', 'a doubled line', 'two lines exchanged'] as const;
const tamper: Readonly<Record<(typeof names)[number], (at: number) => readonly [string, string]>> = {
  'a changed byte': (at) => {
    const line = record[at] ?? '';
    const middle = (at * 7) % line.length;
    const other = line[middle] === 'x' ? 'y' : 'x';
    return [spliced(at, 1, line.slice(0, middle) + other + line.slice(middle + 1)), `changed ${at + 1}`];
  },
  'a removed line': (at) => [spliced(at, 1), at === lastLine - 1 ? `cut ${at}` : `missing ${at + 1}`],
  'a doubled line': (at) => [spliced(at, 0, record[at] ?? ''), `inserted ${at + 1}`],
  'two lines exchanged': (at) =>
    at === lastLine - 1
      ? [
          spliced(0, lastLine, ...record.slice(0, -2), record[at] ?? '', record[at - 1] ?? ''),
          `reordered ${at}`,
        ]
      : [spliced(at, 2, record[at + 1] ?? '', record[at] ?? ''), `reordered ${at + 1}`],
};

for (const name of names) {
  test(`${name} is named, at every single line`, (t) => {
    for (let at = 0; at < lastLine; at += 1) {
      const [text, expected] = tamper[name](at);
      const found = problems(verifyText(text, { head }));
      // The last line is the head itself.
      const others = at === lastLine - 1 && expected.startsWith('changed') ? [`cut ${at}`] : [];
      t.deepEqual(found, [expected, ...others], `line ${at + 1}`);
    }
  });
}

test('a line that was changed and given a new hash is named, at every single line', (t) => {
  for (let at = 0; at < lastLine - 1; at += 1) {
    const found = problems(verifyText(spliced(at, 1, forge(record[at] ?? '', { bytes: 1_000_000 }))));
    const signature = isCheckpoint(at + 1) ? [`signature ${at + 1}`] : [];
    t.deepEqual([...found].sort(), [`changed ${at + 1}`, ...signature], `line ${at + 1}`);
  }
});

test('a line that was only made to follow another is named, at every single line', (t) => {
  for (let at = 0; at < lastLine - 1; at += 1) {
    const found = problems(verifyText(spliced(at, 1, forge(record[at] ?? '', {}, 'a'.repeat(64)))));
    t.true(found.includes(`changed ${at + 1}`), `line ${at + 1}: ${found.join()}`);
  }
});

test('a record written anew from any line on is betrayed by the next checkpoint', (t) => {
  for (let at = 0; at < lastLine - 1; at += 1) {
    const anew = [...record];
    let prev: string | undefined;
    for (let line = at; line < lastLine; line += 1) {
      const original = JSON.parse(record[line] ?? '') as { sig?: string };
      const change = line === at ? { purpose: 'other' } : {};
      anew[line] = forge(record[line] ?? '', { ...change, sig: original.sig }, prev);
      prev = hashOf(anew[line] ?? '');
    }
    const [first] = problems(verifyText(textOf(anew)));
    const next = record.findIndex((_line, index) => index >= at && isCheckpoint(index + 1)) + 1;
    t.is(first, `signature ${next}`, `from line ${at + 1}`);
  }
});

test('a record written anew without checkpoints is betrayed by their absence', (t) => {
  let prev = '0'.repeat(64);
  const anew = record
    .filter((_line, at) => !isCheckpoint(at + 1))
    .map((line, at) => {
      const forged = forge(line, { seq: at + 1 }, prev);
      prev = hashOf(forged);
      return forged;
    });
  t.deepEqual(problems(verifyText(textOf(anew))), ['unsigned 101']);
});

test('a tail cut off at any line is noticed with a head noted earlier, and never covered without', (t) => {
  for (let kept = 1; kept < lastLine; kept += 1) {
    const text = textOf(record.slice(0, kept));
    t.deepEqual(problems(verifyText(text, { head })), [`cut ${kept}`]);
    const report = verifyText(text);
    t.true(report.ok);
    t.is(report.uncovered, kept - (report.checkpoint?.seq ?? 0));
  }
});

test('a torn last line is named, wherever it was torn', (t) => {
  const [last = ''] = record.slice(-1);
  for (const length of [1, 40, last.length - 1, last.length]) {
    const text = textOf(record.slice(0, -1)) + last.slice(0, length);
    t.deepEqual(problems(verifyText(text)), [`torn ${lastLine}`]);
  }
});

test('a line feed more or less is named', (t) => {
  const text = textOf(record);
  const [first = '', second = ''] = record;
  const joined = text.replace(`${first}\n${second}`, first + second);
  t.deepEqual(problems(verifyText(joined)), ['changed 1', 'missing 2']);
  const broken = text.replace(second, `${second.slice(0, 9)}\n${second.slice(9)}`);
  t.deepEqual(problems(verifyText(broken)), ['changed 2', 'inserted ?']);
});

test('lines that are none are told from changed ones', (t) => {
  t.deepEqual(problems(verifyText(spliced(5, 0, '{}', 'garbage'))), ['inserted ?', 'inserted ?']);
  t.deepEqual(problems(verifyText(spliced(5, 2, 'a', 'b'))), ['changed 6', 'changed 7']);
  t.deepEqual(problems(verifyText(spliced(5, 3, 'a'))), ['changed 6', 'missing 7']);
});

test('lines that were moved far are named where they stand, and what they left is not missing', (t) => {
  const moved = [...record.slice(0, 4), ...record.slice(6, 40), ...record.slice(4, 6), ...record.slice(40)];
  t.deepEqual(problems(verifyText(textOf(moved))), ['reordered 5', 'reordered 6']);
});

test('at most a hundred gaps are remembered, whether lines are missing or stray ones divide a gap', (t) => {
  const long = sampleRecord(250);
  const odd = long.slice(0, 199).filter((_line, at) => at % 2 === 0);
  const [second = '', behind = '', within = ''] = [long[1], long[202], long[200]];
  // Lines 2, 4, … 198 are missing, and 200 to 202.
  const hundred = verifyText(textOf([...odd, behind, second]));
  t.deepEqual(problems(hundred).slice(-1), ['reordered 2']);
  t.is(hundred.findings.length, 100);
  // Where line 201 stands behind them, 200 and 202 are two gaps. The first is given up, and told.
  const divided = verifyText(textOf([...odd, behind, within, second]));
  t.deepEqual(problems(divided).slice(0, 1), ['missing 2']);
  t.deepEqual(problems(divided).slice(-2), ['reordered 201', 'inserted 2']);
});

test('a record signed with another key says so once', (t) => {
  const other = { verify: () => false, fingerprint: '0'.repeat(64) };
  t.deepEqual(problems(verifyText(textOf(record), { key: other })), ['signature 1']);
});

test('a part of a record is whole only for somebody who asks for a part', (t) => {
  const text = textOf(record.slice(20));
  t.deepEqual(problems(verifyText(text)), ['missing 1']);
  t.deepEqual(problems(verifyText(text, { partial: true, head })), []);
});

test('no line at all is no record', (t) => {
  t.deepEqual(problems(verifyText('')), ['missing 1']);
});

test('a head that was noted at any time is found again', (t) => {
  for (const line of record) t.true(verifyText(textOf(record), { head: hashOf(line) }).ok);
});

const small = sampleRecord(12);
const smallHead = hashOf(small.at(-1) ?? '');
const at = fc.nat(small.length - 1);
const step = fc.oneof(
  fc.record({
    what: fc.constant('change' as const),
    at,
    byte: fc.nat(),
    to: fc.integer({ min: 0, max: 255 }),
  }),
  fc.record({ what: fc.constant('move' as const), at, to: at }),
  fc.record({ what: fc.constant('remove' as const), at }),
  fc.record({ what: fc.constant('copy' as const), at, to: at }),
  fc.record({ what: fc.constant('forge' as const), at, purpose: fc.string() }),
);

test('whatever is done to a record whose key and head are known, it is noticed', (t) => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 6 }), (steps) => {
      let lines = [...small];
      for (const one of steps) {
        const place = Math.min(one.at, lines.length - 1);
        const line = lines[place];
        if (line === undefined) break;
        if (one.what === 'change') {
          const bytes = Buffer.from(line, 'latin1');
          bytes[one.byte % bytes.length] = one.to;
          lines = lines.toSpliced(place, 1, ...bytes.toString('latin1').split('\n'));
        }
        if (one.what === 'forge' && line.startsWith('{"seq"') && line.endsWith('"}')) {
          try {
            lines[place] = forge(line, { purpose: one.purpose });
          } catch {
            // It was no line any more.
          }
        }
        if (one.what === 'remove' || one.what === 'move') lines.splice(place, 1);
        if (one.what === 'move' || one.what === 'copy') lines.splice(one.to, 0, line);
      }
      const report = verifyText(textOf(lines), { head: smallHead });
      return report.ok === (textOf(lines) === textOf(small));
    }),
    { numRuns: 2000 },
  );
  t.pass();
});
