import test from 'ava';
import fc from 'fast-check';
import {
  boolean,
  commaList,
  count,
  duration,
  integer,
  logLevel,
  maxSizeBytes,
  maxSweptMs,
  maxTimerMs,
  port,
  size,
  type Unit,
} from '#relay/config/units.js';

const timer = duration({ maxMs: maxTimerMs });
const anySize = size({ minBytes: 0, maxBytes: maxSizeBytes });

/** What a unit makes of a text, or `refused`. */
function read<Value>(unit: Unit<Value>, text: string): Value | 'refused' {
  const parsed = unit.parse(text);
  return parsed.ok ? parsed.value : 'refused';
}

const durations: readonly (readonly [string, number | 'refused', string])[] = [
  ['500ms', 500, 'milliseconds'],
  ['30s', 30_000, 'seconds'],
  ['10m', 600_000, 'minutes'],
  ['1h', 3_600_000, 'hours'],
  ['7d', 604_800_000, 'days'],
  ['30', 30_000, 'a bare number is seconds'],
  ['1.5h', 5_400_000, 'decimals'],
  ['.5', 500, 'decimals without a leading digit'],
  ['0.29s', 290, 'no rounding error comes through'],
  ['1.0004s', 1000, 'to the nearest whole ms'],
  ['  30s\n', 30_000, 'white space around it'],
  ['24d', maxTimerMs, 'the most that a timer takes'],
  ['24.1d', 'refused', 'more than a timer takes'],
  ['25d', 'refused', 'setTimeout would fire at once'],
  ['0', 'refused', 'a time of nothing'],
  ['0.4ms', 'refused', 'rounds to nothing'],
  ['-1s', 'refused', 'negative'],
  ['', 'refused', 'empty'],
  ['s', 'refused', 'no number'],
  ['1 s', 'refused', 'white space inside'],
  ['1m30s', 'refused', 'two units'],
  ['1M', 'refused', 'a capital M could be a month'],
  ['1w', 'refused', 'no such unit'],
  ['1e3s', 'refused', 'exponents'],
  ['0x10', 'refused', 'hexadecimal'],
  ['Infinity', 'refused', 'a word for a number'],
  ['9'.repeat(400), 'refused', 'a number beyond all numbers'],
];
for (const [text, value, why] of durations) {
  test(`a duration "${text.slice(0, 20).trim()}" is ${value}: ${why}`, (t) => {
    t.is(read(timer, text), value);
  });
}

test('a duration that no timer holds may be longer, and a duration may be allowed to be nothing', (t) => {
  t.is(read(duration({ maxMs: maxSweptMs }), '30d'), 30 * 86_400_000);
  t.is(read(duration({ maxMs: maxSweptMs }), '366d'), 'refused');
  t.is(read(duration({ minMs: 0, maxMs: maxTimerMs }), '0'), 0);
});

const sizes: readonly (readonly [string, number | 'refused', string])[] = [
  ['1kb', 1024, 'a power of 1024'],
  ['1mb', 1_048_576, 'a power of 1024'],
  ['1gb', 1_073_741_824, 'a power of 1024'],
  ['1024gb', maxSizeBytes, 'the largest'],
  ['12b', 12, 'bytes'],
  ['12', 12, 'a bare number is bytes'],
  ['1.5mb', 1_572_864, 'decimals'],
  ['1MB', 1_048_576, 'in capitals, as sizes often are'],
  ['0', 0, 'nothing, where nothing is allowed'],
  ['1025gb', 'refused', 'too large'],
  ['1tb', 'refused', 'no such unit'],
  ['1k', 'refused', 'half a unit'],
  ['1kib', 'refused', 'another notation'],
  ['-1', 'refused', 'negative'],
  ['1,5mb', 'refused', 'a decimal comma'],
  ['', 'refused', 'empty'],
];
for (const [text, value, why] of sizes) {
  test(`a size "${text}" is ${value}: ${why}`, (t) => {
    t.is(read(anySize, text), value);
  });
}

const integers: readonly (readonly [string, number | 'refused', string])[] = [
  ['1', 1, 'the least'],
  ['100', 100, 'the most'],
  ['007', 7, 'leading zeros are not octal'],
  ['0', 'refused', 'below the least'],
  ['101', 'refused', 'above the most'],
  ['1.0', 'refused', 'decimals'],
  ['1e1', 'refused', 'exponents'],
  ['+1', 'refused', 'a sign'],
  ['١', 'refused', 'digits of another script'],
  ['', 'refused', 'empty'],
];
for (const [text, value, why] of integers) {
  test(`of 1 to 100, "${text}" is ${value}: ${why}`, (t) => {
    t.is(read(integer({ min: 1, max: 100 }), text), value);
  });
}

test('ports run from 0 to 65535', (t) => {
  t.deepEqual(
    ['0', '65535', '65536', '-1', 'http'].map((text) => read(port, text)),
    [0, 65_535, 'refused', 'refused', 'refused'],
  );
});

test('a count is at least one and at most a billion', (t) => {
  t.deepEqual(
    ['0', '1', '1000000000', '1000000001'].map((text) => read(count, text)),
    ['refused', 1, 1_000_000_000, 'refused'],
  );
});

test('switches understand the usual words in any case, and nothing else', (t) => {
  t.deepEqual(
    ['1', 'true', 'YES', 'on'].map((text) => read(boolean, text)),
    [true, true, true, true],
  );
  t.deepEqual(
    ['0', 'false', 'No', 'off', ''].map((text) => read(boolean, text)),
    [false, false, false, false, false],
  );
  t.deepEqual(
    ['2', 'y', 'enabled', 'constructor', 'true false'].map((text) => read(boolean, text)),
    Array<string>(5).fill('refused'),
  );
});

test('log levels are a fixed set of words', (t) => {
  t.deepEqual(
    ['debug', 'WARN', 'silent', 'verbose', ''].map((text) => read(logLevel, text)),
    ['debug', 'warn', 'silent', 'refused', 'refused'],
  );
});

test('a comma list keeps its empty entries, so that they can be refused', (t) => {
  t.deepEqual(commaList('a,,b,'), ['a', '', 'b', '']);
});

test('what a unit expects is said with its bounds', (t) => {
  const refused = timer.parse('soon');
  t.false(refused.ok);
  t.is(refused.ok ? '' : refused.expected, timer.expected);
  t.regex(timer.expected, /from 1ms to 24d/);
  t.regex(anySize.expected, /from 0b to 1024gb/);
});

test('a printed duration is read back as the same duration', (t) => {
  const property = fc.property(fc.integer({ min: 1, max: maxTimerMs }), (ms) => {
    return read(timer, timer.format(ms)) === ms;
  });
  t.notThrows(() => fc.assert(property));
  for (const ms of [1, 999, 1000, 60_000, 3_600_000, 86_400_000, 172_800_000]) {
    t.is(read(timer, timer.format(ms)), ms);
  }
});

test('a printed size is read back as the same size', (t) => {
  const property = fc.property(fc.integer({ min: 0, max: maxSizeBytes }), (bytes) => {
    return read(anySize, anySize.format(bytes)) === bytes;
  });
  t.notThrows(() => fc.assert(property));
  for (const bytes of [0, 1, 1023, 1024, 1_048_576, 1_073_741_824]) {
    t.is(read(anySize, anySize.format(bytes)), bytes);
  }
});

test('durations and sizes are printed in the largest unit that divides them', (t) => {
  t.deepEqual([1500, 30_000, 90_000, 3_600_000, 86_400_000, 172_800_000].map(timer.format), [
    '1500ms',
    '30s',
    '90s',
    '1h',
    '24h',
    '2d',
  ]);
  t.deepEqual([1000, 1024, 1536, 268_435_456].map(anySize.format), ['1000b', '1kb', '1536b', '256mb']);
});

test('no text makes a unit throw or answer outside its bounds', (t) => {
  const nearlyRight = fc.stringMatching(/^[0-9.\-+eE smhdkgbMB\n]*$/);
  const property = fc.property(fc.oneof(fc.string(), nearlyRight), (text) => {
    const ms = read(timer, text);
    const bytes = read(anySize, text);
    return (
      (ms === 'refused' || (Number.isInteger(ms) && ms >= 1 && ms <= maxTimerMs)) &&
      (bytes === 'refused' || (Number.isInteger(bytes) && bytes >= 0 && bytes <= maxSizeBytes))
    );
  });
  t.notThrows(() => fc.assert(property, { numRuns: 1000 }));
});
