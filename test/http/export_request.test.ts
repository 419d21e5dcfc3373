import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { parseExportRequest } from '#relay/http/export_request.js';

const uri = 'https://receiver.example/in';

function fieldsOf(body: unknown): readonly string[] | string {
  const result = parseExportRequest(typeof body === 'string' ? body : JSON.stringify(body));
  if (result.ok) return 'accepted';
  return result.failure.code === 'invalid_request'
    ? result.failure.errors.map(({ field }) => field)
    : result.failure.code;
}

for (const [body, expected, why] of [
  ['', 'malformed_json', 'empty'],
  ['{', 'malformed_json', 'cut'],
  ['\ufeff{}', 'malformed_json', 'a byte order mark'],
  ["{'id':''}", 'malformed_json', 'single quotes'],
  ['[]', [''], 'an array'],
  ['null', [''], 'null'],
  ['"x"', [''], 'a string'],
  ['1', [''], 'a number'],
  [{}, ['id'], 'no id'],
  [{ id: null, uri, data: '{}' }, ['id'], 'null is no id'],
  [{ id: 0, uri, data: '{}' }, ['id'], 'a number is no id'],
  [{ id: '' }, ['uri', 'data'], 'all fields that are missing'],
  [{ id: '', uri: 5, data: 5 }, ['uri', 'data'], 'numbers'],
  [{ id: '', uri: '/relative', data: '{}' }, ['uri'], 'a relative URL'],
  [{ id: '', uri: 'ftp://x/', data: '{}' }, ['uri'], 'another scheme'],
  [{ id: '', uri: 'https://u@x.example/', data: '{}' }, ['uri'], 'user information'],
  [{ id: '', uri, data: '' }, ['data'], 'empty data'],
  [{ id: '', uri, data: 'text' }, ['data'], 'not JSON'],
  [{ id: '', uri, data: '"text"' }, ['data'], 'a JSON string is neither object nor array'],
  [{ id: '', uri, data: '1' }, ['data'], 'a JSON number'],
  [{ id: '', uri, data: 'null' }, ['data'], 'JSON null'],
  [{ id: '', uri, data: null }, ['data'], 'null'],
  [{ id: '', uri, data: '{} {}' }, ['data'], 'two values'],
  ['{"id":"","uri":"https://x.example/","data":"[\\"\ud800\\"]"}', ['data'], 'half of a surrogate pair'],
  [{ id: '', uri, data: '{}', action: 'cancel' }, ['action'], 'an action without a job'],
  [{ id: 'x', action: 'stop' }, ['action'], 'an action nobody knows'],
  [{ id: '', uri, data: '{}' }, 'accepted', 'a string that holds an object'],
  [{ id: '', uri, data: [] }, 'accepted', 'a bare array'],
  [{ id: '', uri, data: {}, __proto__: null, extra: 1 }, 'accepted', 'fields nobody knows'],
  [
    '{"id":"","uri":"https://x.example/","data":{},"__proto__":{"id":"x"}}',
    'accepted',
    'a prototype is a field',
  ],
  [{ id: 'anything', uri: 5, data: 5 }, 'accepted', 'beside an id, uri and data do not count'],
] as const) {
  test(`${why}: ${typeof body === 'string' ? body : JSON.stringify(body)}`, (t) => {
    t.deepEqual(fieldsOf(body), expected);
  });
}

test('the last of repeated keys wins, also for data', (t) => {
  const text = `{"id":"x","id":"","uri":"ftp://x/","uri":"${uri}","data":{"a":1},"data":{"b":2.0}}`;
  t.like(parseExportRequest(text), {
    ok: true,
    value: { action: 'submit', data: '{"b":2.0}', dataBytes: 9 },
  });
});

test('any JSON object or array is delivered exactly as it was written', (t) => {
  const value = fc.oneof(fc.array(fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue()));
  t.notThrows(() =>
    fc.assert(
      fc.property(value, fc.boolean(), fc.nat(2), (data, bare, indent) => {
        const written = JSON.stringify(data, null, indent);
        const text = `{"id":"","uri":"${uri}","data":${bare ? written : JSON.stringify(written)}}`;
        const result = parseExportRequest(text);
        assert.ok(result.ok && result.value.action === 'submit');
        assert.equal(result.value.data, written);
        assert.equal(result.value.dataBytes, Buffer.byteLength(written));
      }),
    ),
  );
});

test('no text at all makes it throw', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => {
        assert.equal(typeof parseExportRequest(text).ok, 'boolean');
      }),
    ),
  );
});
