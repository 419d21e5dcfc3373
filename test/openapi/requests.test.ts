import test from 'ava';
import { parseExportRequest } from '#relay/http/export_request.js';
import { openApiDocument } from '#relay/openapi/document.js';
import { parseFrame } from '#relay/ws/frame.js';
import { Contract, type Document } from '../helpers/openapi.js';

const unknownId = '2c1d8a54-0b3e-4b34-9b5c-0d6a3f3f2a51';
const uri = 'https://a.example/';
const good = { id: '', uri, data: {} };
/** Bodies, and whether they are requests; the document and the parser must both say so. */
const bodies: readonly (readonly [unknown, boolean])[] = [
  [good, true],
  [{ ...good, data: [] }, true],
  [{ ...good, data: '{}' }, true],
  [{ ...good, data: 1 }, false],
  [{ ...good, data: null }, false],
  [{ id: '', uri }, false],
  [{ id: '', data: {} }, false],
  [{ ...good, uri: 'ftp://a.example/' }, false],
  [{ ...good, uri: 'HTTP://a.example/' }, true],
  [{ ...good, uri: `https://a.example/${'x'.repeat(8192)}` }, false],
  [{ ...good, uri: 5 }, false],
  [{ ...good, action: 'cancel' }, false],
  [{ ...good, more: 1 }, true],
  [{ ...good, purpose: '' }, true],
  [{ ...good, purpose: 'ü'.repeat(200) }, true],
  [{ ...good, purpose: '😀'.repeat(200) }, true],
  [{ ...good, purpose: 'x'.repeat(201) }, false],
  [{ ...good, purpose: 'two\nlines' }, false],
  [{ ...good, purpose: '\u202e' }, false],
  [{ ...good, purpose: 5 }, false],
  [{ ...good, headers: {} }, true],
  [{ ...good, headers: { 'X-A': 'b c' } }, true],
  [{ ...good, headers: { 'X-A': '' } }, true],
  [{ ...good, headers: { 'X-A': ' b' } }, false],
  [{ ...good, headers: { 'X-A': 'a\nb' } }, false],
  [{ ...good, headers: { 'X A': 'b' } }, false],
  [{ ...good, headers: { '': 'b' } }, false],
  [{ ...good, headers: { Host: 'b' } }, false],
  [{ ...good, headers: { 'x-API-key': 'b' } }, false],
  [{ ...good, headers: { 'WebHook-Id': 'b' } }, false],
  [{ ...good, headers: { 'Proxy-Anything': 'b' } }, false],
  [{ ...good, headers: { Hosts: 'b' } }, true],
  [{ ...good, headers: { 'X-A': 5 } }, false],
  [{ ...good, headers: [] }, false],
  [
    { ...good, headers: Object.fromEntries(Array.from({ length: 32 }, (_none, at) => [`x-${at}`, 'b'])) },
    true,
  ],
  [
    { ...good, headers: Object.fromEntries(Array.from({ length: 33 }, (_none, at) => [`x-${at}`, 'b'])) },
    false,
  ],
  [{ id: unknownId }, true],
  [{ id: 'x', uri: 5, data: 5, headers: 5, purpose: 5 }, true],
  [{ id: 'x', action: 'cancel' }, true],
  [{ id: 'x', action: 'poll' }, false],
  [{ id: 5 }, false],
  [{}, false],
  [[], false],
  [null, false],
  ['x', false],
];

test('what the document calls a request is what the relay takes for one', (t) => {
  const limits = { maxBodyBytes: 1, maxWaitMs: 1, maxResponseBytes: 1, resultTtlMs: 1 };
  const contract = new Contract(openApiDocument(limits) as unknown as Document);
  for (const [body, isGood] of bodies) {
    const text = JSON.stringify(body);
    t.is(parseExportRequest(text).ok, isGood, `the relay: ${text}`);
    t.is(contract.allows('ExportRequest', body), isGood, `the document: ${text}`);
    t.is(parseFrame(text).asked.ok, isGood, `the relay, a frame: ${text}`);
    t.is(contract.allows('ClientFrame', body), isGood, `the document, a frame: ${text}`);
  }
  for (const [frame, isGood] of [
    [{ ...good, ref: 'x'.repeat(255), idempotency_key: 'k', dry_run: true }, true],
    [{ ...good, ref: 'x'.repeat(256) }, false],
    [{ ...good, idempotency_key: ' k' }, false],
    [{ ...good, dry_run: 1 }, false],
    [{ id: 'x', dry_run: true }, false],
    [{ id: 'x', dry_run: false }, true],
  ] as const) {
    t.is(parseFrame(JSON.stringify(frame)).asked.ok, isGood);
    t.is(contract.allows('ClientFrame', frame), isGood, JSON.stringify(frame));
  }
});
