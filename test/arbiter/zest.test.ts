import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { decodeResponse, encodeSecretRequest, type ZestOption } from '#relay/arbiter/zest.js';
import { readRequest } from '../helpers/zest_arbiter.js';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

test('a secret request is the documented bytes', (t) => {
  const bytes = encodeSecretRequest({ token: Buffer.from('tok'), host: 'export-service' });
  t.is(
    Buffer.from(bytes).toString('hex'),
    hex(
      '01 03 0003 746f6b' +
        '000b 000d 2f73746f72652f736563726574' +
        '0003 000e 6578706f72742d73657276696365' +
        '000c 0002 0032',
    ).toString('hex'),
  );
});

test('a token goes over as it is: binary, with a line break, or empty', (t) => {
  for (const token of ['00ff80', '61620a', '']) {
    const bytes = encodeSecretRequest({ token: hex(token), host: 'x' });
    t.is(readRequest(Buffer.from(bytes))?.token.toString('hex'), token);
  }
});

test('what does not fit into a length field is an error of the caller', (t) => {
  t.throws(() => encodeSecretRequest({ token: new Uint8Array(65_536), host: 'x' }), {
    instanceOf: RangeError,
  });
  t.throws(() => encodeSecretRequest({ token: new Uint8Array(1), host: 'x'.repeat(65_536) }), {
    instanceOf: RangeError,
  });
  t.is(encodeSecretRequest({ token: new Uint8Array(65_535), host: '' }).length, 4 + 65_535 + 17 + 4 + 6);
});

test('any token and name arrive at a reader that was written apart', (t) => {
  const host = fc.string({ unit: 'grapheme' });
  t.notThrows(() => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), host, (token, name) => {
        const request = readRequest(Buffer.from(encodeSecretRequest({ token, host: name })));
        assert.deepEqual(request?.token, Buffer.from(token));
        assert.deepEqual(request.options[1], [3, Buffer.from(name)]);
      }),
    );
  });
});

test('answers are read as documented', (t) => {
  const answers = [
    ['45 01 0000 000c 0002 0032 736563726574', 69, [[12, '0032']], 'secret'],
    ['81 00 0000', 129, [], ''],
    ['a0 00 0000', 160, [], ''],
    ['45 00 0000 78', 69, [], 'x'],
    [
      '45 02 0000 000c 0002 0000 0800 0000',
      69,
      [
        [12, '0000'],
        [2048, ''],
      ],
      '',
    ],
  ] as const;
  for (const [bytes, code, options, payload] of answers) {
    const response = decodeResponse(hex(bytes));
    if (!response.ok) return t.fail(response.reason);
    t.is(response.code, code);
    t.deepEqual(
      response.options.map(({ number, value }) => [number, Buffer.from(value).toString('hex')]),
      options.map(([number, value]) => [number, value]),
    );
    t.is(Buffer.from(response.payload).toString(), payload);
  }
});

test('what is not an answer is refused with the reason', (t) => {
  const answers = [
    ['', /shorter than a header/],
    ['45 00 00', /shorter than a header/],
    ['45 00 0001 78', /token/],
    ['45 01 0000', /option 1 of 1 is cut off/],
    ['45 01 0000 000c 00', /option 1 of 1 is cut off/],
    ['45 01 0000 000c 0003 0032', /option 1 of 1 is longer/],
    ['45 02 0000 000c 0002 0032 0800', /option 2 of 2 is cut off/],
    ['45 ff 0000 000c 0002 0032', /option 2 of 255 is cut off/],
  ] as const;
  for (const [bytes, reason] of answers) {
    const response = decodeResponse(hex(bytes));
    if (response.ok) return t.fail(bytes);
    t.regex(response.reason, reason);
  }
});

const option = fc.record({ number: fc.nat(0xffff), value: fc.uint8Array({ maxLength: 40 }) });
interface Answer {
  readonly code: number;
  readonly options: readonly ZestOption[];
  readonly payload: Uint8Array;
}

const answer: fc.Arbitrary<Answer> = fc.record({
  code: fc.nat(0xff),
  options: fc.array(option, { maxLength: 12 }),
  payload: fc.uint8Array({ maxLength: 60 }),
});

function encodeAnswer({ code, options, payload }: Answer): { head: Buffer; whole: Buffer } {
  const u16 = (value: number): Buffer => Buffer.of(value >> 8, value & 0xff);
  const encoded = options.flatMap(({ number, value }) => [u16(number), u16(value.length), value]);
  const head = Buffer.concat([Buffer.of(code, options.length, 0, 0), ...encoded]);
  return { head, whole: Buffer.concat([head, payload]) };
}

test('every well-formed answer is read back, and every one cut off before its payload is refused', (t) => {
  t.notThrows(() => {
    fc.assert(
      fc.property(answer, fc.nat(), (expected, at) => {
        const { head, whole } = encodeAnswer(expected);
        const response = decodeResponse(whole);
        assert(response.ok);
        assert.equal(response.code, expected.code);
        assert.deepEqual(response.options.map(plain), expected.options.map(plain));
        assert.deepEqual([...response.payload], [...expected.payload]);
        assert(!decodeResponse(head.subarray(0, at % head.length)).ok);
      }),
    );
  });
});

function plain({ number, value }: ZestOption): readonly [number, readonly number[]] {
  return [number, [...value]];
}

test('reading never throws, whatever the bytes are and wherever they lie', (t) => {
  t.notThrows(() => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(8), (bytes, offset) => {
        decodeResponse(bytes.subarray(offset));
      }),
    );
  });
});
