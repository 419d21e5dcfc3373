import assert from 'node:assert/strict';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import { BoundedBytes, captureBody, type KeptBytes } from '#relay/delivery/capture.js';

const mb = 1024 * 1024;

/** A body as it came over the wire, in pieces and up to a cap, and optionally broken off at the end. */
function body(bytes: Buffer | string, { pieces = 3, broken = false, cap = mb } = {}): KeptBytes {
  const whole = Buffer.from(bytes);
  const size = Math.max(1, Math.ceil(whole.length / pieces));
  const kept = new BoundedBytes(cap);
  for (let at = 0; at < whole.length; at += size) {
    if (!kept.add(whole.subarray(at, at + size))) return { bytes: kept.bytes, truncated: true };
  }
  return { bytes: kept.bytes, truncated: broken };
}

test('text is kept as text, with its byte order mark', async (t) => {
  t.deepEqual(await captureBody(body('\ufeffgrüße 🚀'), undefined, mb), {
    body: '\ufeffgrüße 🚀',
    encoding: 'utf-8',
    truncated: false,
  });
});

test('an empty body is empty text', async (t) => {
  t.deepEqual(await captureBody(body(''), 'gzip', mb), { body: '', encoding: 'utf-8', truncated: false });
});

for (const [coding, compress] of [
  ['gzip', gzipSync],
  ['x-gzip', gzipSync],
  ['GZIP', gzipSync],
  ['deflate', deflateSync],
  ['br', brotliCompressSync],
] as const) {
  test(`${coding} is undone`, async (t) => {
    const kept = await captureBody(body(compress('grüße '.repeat(100))), coding, mb);
    t.deepEqual(kept, { body: 'grüße '.repeat(100), encoding: 'utf-8', truncated: false });
  });

  test(`${coding} of nothing is empty text`, async (t) => {
    const kept = await captureBody(body(compress('')), coding, mb);
    t.deepEqual(kept, { body: '', encoding: 'utf-8', truncated: false });
  });

  test(`${coding} is cut at the cap to the byte`, async (t) => {
    t.like(await captureBody(body(compress('ab')), coding, 2), { body: 'ab', truncated: false });
    t.like(await captureBody(body(compress('ab')), coding, 1), { body: 'a', truncated: true });
  });

  test(`${coding} that unfolds far beyond the cap is cut at the cap`, async (t) => {
    const bomb = compress(Buffer.alloc(16 * mb, 'a'));
    t.true(bomb.length < mb);
    const kept = await captureBody(body(bomb), coding, mb);
    t.is(kept.body.length, mb);
    t.true(kept.truncated);
  });

  test(`${coding} that breaks off is kept as far as it can be read`, async (t) => {
    const text = Array.from({ length: 5000 }, (_, index) => String(index * 7919)).join(' ');
    const wire = compress(text);
    const kept = await captureBody(body(wire.subarray(0, wire.length - 20), { broken: true }), coding, mb);
    t.true(kept.truncated);
    t.true(text.startsWith(kept.body));
    t.true(kept.body.length > 0);
  });
}

test('nothing, in a coding, is nothing, however often it is coded', async (t) => {
  t.like(await captureBody(body(gzipSync('')), 'deflate, gzip', mb), { body: '', truncated: false });
});

for (const [coding, compress] of [
  ['gzip', gzipSync],
  ['deflate', deflateSync],
  ['br', brotliCompressSync],
] as const) {
  test(`${coding} whose end is missing is cut, though all of the body came`, async (t) => {
    const text = Array.from({ length: 5000 }, (_, index) => String(index * 7919)).join(' ');
    const wire = compress(text);
    const kept = await captureBody(body(wire.subarray(0, wire.length - 20)), coding, mb);
    t.true(kept.truncated);
    t.true(text.startsWith(kept.body));
    // What can be read of such a text is nearly all of it.
    t.true(kept.body.length > 0.9 * text.length);
  });

  test(`${coding} behind whose end something is missing is cut`, async (t) => {
    const kept = await captureBody(body(compress('grüße'), { broken: true }), coding, mb);
    t.deepEqual(kept, { body: 'grüße', encoding: 'utf-8', truncated: true });
  });

  test(`a single byte is kept as it came though it should be ${coding}`, async (t) => {
    t.like(await captureBody(body('a'), coding, mb), { body: 'a', truncated: false });
  });
}

test('codings that were applied one upon another are undone in the opposite order', async (t) => {
  const wire = gzipSync(deflateSync('grüße'));
  t.like(await captureBody(body(wire), 'deflate, gzip', mb), { body: 'grüße', encoding: 'utf-8' });
  t.like(await captureBody(body(wire), 'identity,deflate,gzip', mb), { body: 'grüße' });
  t.like(await captureBody(body(wire), 'identity, Deflate ,,gzip', mb), { body: 'grüße' });
  const five = 'identity,identity,identity,deflate,gzip';
  t.like(await captureBody(body(wire), five, mb), { body: wire.toString('base64'), encoding: 'base64' });
});

test('bytes that are not in the coding they claim are kept as they came', async (t) => {
  t.deepEqual(await captureBody(body('plain'), 'gzip', mb), {
    body: 'plain',
    encoding: 'utf-8',
    truncated: false,
  });
});

test('a coding that is not known leaves the bytes as they came', async (t) => {
  const bytes = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
  t.like(await captureBody(body(bytes), 'zstd', mb), { body: bytes.toString('base64'), encoding: 'base64' });
});

test('of a character that was cut nothing is left, and of text nothing else goes', async (t) => {
  const text = '\ufeffaü€🚀';
  const bytes = Buffer.from(text);
  for (let cap = 0; cap < bytes.length; cap += 1) {
    const kept = await captureBody(body(bytes, { cap }), undefined, mb);
    t.like(kept, { encoding: 'utf-8', truncated: true });
    const whole = Array.from(text).filter((_character, index, all) => {
      return Buffer.byteLength(all.slice(0, index + 1).join('')) <= cap;
    });
    t.is(kept.body, whole.join(''));
  }
});

test('bytes that no character begins with are no text, though they come last', async (t) => {
  for (const last of [0xc0, 0xff]) {
    const bytes = Buffer.from([0x61, last]);
    t.like(await captureBody(body(bytes, { broken: true }), undefined, mb), {
      body: bytes.toString('base64'),
      encoding: 'base64',
    });
  }
});

test('what does not fit is cut off, and said to be', (t) => {
  const kept = new BoundedBytes(5);
  t.true(kept.add(Buffer.from('abc')));
  t.true(kept.add(Buffer.from('de')));
  t.true(kept.add(Buffer.alloc(0)));
  t.false(kept.add(Buffer.from('f')));
  t.is(kept.bytes.toString(), 'abcde');
});

test('whatever the bytes, the pieces and the cap, what is kept is a prefix within the cap', async (t) => {
  const sample = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
  );
  await t.notThrowsAsync(() =>
    fc.assert(
      fc.asyncProperty(
        sample,
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 250 }),
        async (bytes, pieces, cap) => {
          const whole = Buffer.from(bytes);
          const kept = await captureBody(body(whole, { pieces, cap }), undefined, cap);
          const back = Buffer.from(kept.body, kept.encoding === 'base64' ? 'base64' : 'utf8');
          assert.ok(back.length <= cap);
          assert.deepEqual(back, whole.subarray(0, back.length));
          assert.equal(kept.truncated, whole.length > cap);
          if (!kept.truncated) assert.deepEqual(back, whole);
          else assert.ok(back.length > cap - 4);
        },
      ),
    ),
  );
});
