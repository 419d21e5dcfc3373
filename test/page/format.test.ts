import test from 'ava';
import { formatApp, formatBytes, formatDuration, formatTime, plural } from '#relay/page/format.js';

for (const [bytes, text] of [
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1 kB'],
  [1250, '1.3 kB'],
  [999_949, '999.9 kB'],
  [999_950, '1 MB'],
  [1_500_000_000, '1.5 GB'],
  [2e15, '2,000 TB'],
] as const) {
  test(`${bytes} bytes read as ${text}`, (t) => t.is(formatBytes(bytes).replace('\u00a0', ' '), text));
}

for (const [seconds, text] of [
  [-5, '0 s'],
  [59.9, '59 s'],
  [61, '1 min 1 s'],
  [3_660, '1 h 1 min'],
  [200_000, '2 days'],
] as const) {
  test(`${seconds} seconds read as ${text}`, (t) => t.is(formatDuration(seconds * 1000), text));
}

test('a time of today has no day, one of another day has', (t) => {
  const time = new Date(2030, 0, 2, 3, 4, 5);
  t.is(formatTime(time.toISOString(), new Date(2030, 0, 2, 23)), '03:04:05');
  t.is(formatTime(time.toISOString(), new Date(2030, 0, 3)), '2 Jan, 03:04:05');
});

test('counts and names read well', (t) => {
  t.is(plural(1, 'export'), '1 export');
  t.is(plural(1200, 'entry', 'entries'), '1,200 entries');
  t.is(formatApp(''), 'app without a name');
});
