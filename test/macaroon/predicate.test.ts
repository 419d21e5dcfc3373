import test from 'ava';
import { parseCaveat, type Predicate, toPredicate } from '#relay/macaroon/predicate.js';

const uuid = '5c0e1a52-7d35-4c5a-9d0f-2a4c7b8d9e10';
const digest = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

const understood: readonly Predicate[] = [
  { kind: 'target', text: 'target = export-service', name: 'export-service' },
  { kind: 'target', text: 'target = my own service', name: 'my own service' },
  { kind: 'path', text: 'path = /lp/export', path: '/lp/export', prefix: undefined },
  { kind: 'path', text: 'path = /lp/*', path: '/lp/*', prefix: '/lp/' },
  { kind: 'path', text: 'path = /a\nb', path: '/a\nb', prefix: undefined },
  { kind: 'method', text: 'method = Post', method: 'POST' },
  { kind: 'destination', text: 'destination = https://a/?b = c', pattern: 'https://a/?b = c' },
  { kind: 'time', text: 'time < 1970-01-01T00:00:01Z', expiresAtMs: 1000 },
  { kind: 'job', text: `job = ${uuid.toUpperCase()}`, jobId: uuid },
  { kind: 'action', text: 'action = poll', actions: ['poll'] },
  { kind: 'action', text: 'action = submit|poll|cancel', actions: ['submit', 'poll', 'cancel'] },
  { kind: 'bytes', text: 'bytes <= 0', maxBytes: 0 },
  { kind: 'bytes', text: 'bytes <= 1048576', maxBytes: 1048576 },
  { kind: 'sha256', text: `sha256 = ${digest.toUpperCase()}`, digestHex: digest },
];

for (const predicate of understood) {
  test(`the caveat "${predicate.text}" is understood`, (t) => {
    t.deepEqual(parseCaveat(predicate.text), predicate);
  });
}

const notUnderstood: readonly { readonly text: string; readonly why: string }[] = [
  { text: '', why: 'it is empty' },
  { text: ' ', why: 'it is a space' },
  { text: 'path', why: 'it has no value' },
  { text: 'path = ', why: 'its value is empty' },
  { text: 'path =', why: 'its value is missing' },
  { text: 'path=/export', why: 'it lacks the spaces' },
  { text: 'path= /export', why: 'it lacks a space' },
  { text: 'path =/export', why: 'it lacks a space' },
  { text: ' path = /export', why: 'a space stands before it' },
  { text: 'path = /export ', why: 'a space stands after it' },
  { text: 'path  = /export', why: 'two spaces stand before the operator' },
  { text: 'path =  /export', why: 'two spaces stand after the operator' },
  { text: 'path\t=\t/export', why: 'its spaces are tabs' },
  { text: 'path\u00a0=\u00a0/export', why: 'its spaces do not break' },
  { text: 'path = /export\n', why: 'a line break stands after it' },
  { text: '\ufeffpath = /export', why: 'a byte order mark stands before it' },
  { text: 'path = /export\ufeff', why: 'a byte order mark stands after it' },
  { text: 'Path = /export', why: 'keys are lower case' },
  { text: 'path == /export', why: 'the operator is another' },
  { text: 'path < /export', why: 'the operator is another' },
  { text: 'path != /export', why: 'the operator is another' },
  { text: 'observe = /export', why: 'the key is not of this service' },
  { text: '__proto__ = x', why: 'the key is no key' },
  { text: 'method = GET|POST', why: 'one method is named' },
  { text: 'method = GET POST', why: 'one method is named' },
  { text: 'method = po\u017ft', why: 'its letters are not ASCII, though in upper case they are' },
  { text: 'time < 2030-01-01T00:00:00', why: 'the time has no zone' },
  { text: 'time < 2020-13-01T00:00:00Z', why: 'the time does not exist' },
  { text: 'time <= 2030-01-01T00:00:00Z', why: 'the operator is another' },
  { text: 'time > 2000-01-01T00:00:00Z', why: 'the operator is another' },
  { text: 'time = 2030-01-01T00:00:00Z', why: 'the operator is another' },
  { text: 'job = *', why: 'the job is no UUID' },
  { text: `job = {${uuid}}`, why: 'the UUID has braces' },
  { text: `job = ${uuid.replaceAll('-', '')}`, why: 'the UUID lacks its hyphens' },
  { text: `job = ${uuid}|${uuid}`, why: 'one job is named' },
  { text: 'action = read', why: 'the action is unknown' },
  { text: 'action = submit|read', why: 'one of the actions is unknown' },
  { text: 'action = submit | poll', why: 'spaces stand between the actions' },
  { text: 'action = submit||poll', why: 'an action is empty' },
  { text: 'action = submit|', why: 'an action is empty' },
  { text: 'action = Submit', why: 'actions are lower case' },
  { text: 'bytes <= -1', why: 'the number has a sign' },
  { text: 'bytes <= +1', why: 'the number has a sign' },
  { text: 'bytes <= 1.5', why: 'the number is no whole one' },
  { text: 'bytes <= 1e6', why: 'the number has an exponent' },
  { text: 'bytes <= 0x10', why: 'the number is not decimal' },
  { text: 'bytes <= 010', why: 'some would read the number as octal' },
  { text: 'bytes <= 1mb', why: 'the number has a unit' },
  { text: 'bytes <= ١٢', why: 'the digits are not ASCII' },
  { text: 'bytes < 10', why: 'the operator is another' },
  { text: 'bytes = 10', why: 'the operator is another' },
  { text: `sha256 = ${digest.slice(1)}`, why: 'the digest is too short' },
  { text: `sha256 = ${digest}0`, why: 'the digest is too long' },
  { text: `sha256 = ${digest.replace('e', 'g')}`, why: 'the digest is no hex' },
  { text: 'sha256 = 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=', why: 'the digest is base64' },
];

for (const { text, why } of notUnderstood) {
  test(`the caveat ${JSON.stringify(text)} is not understood: ${why}`, (t) => {
    const predicate = parseCaveat(text);
    t.is(predicate.kind, 'unknown');
    t.is(predicate.text, text);
  });
}

test('a caveat that is not understood says what would have been', (t) => {
  const reasonOf = (text: string) => {
    const predicate = parseCaveat(text);
    return predicate.kind === 'unknown' ? predicate.reason : 'understood';
  };
  t.regex(
    reasonOf('mood = good'),
    /understands only "target = …", .*"time < …", .*"bytes <= …", "sha256 = …"/,
  );
  t.regex(reasonOf('path =  /export'), /"path =" must be followed by one space and a value/);
  t.regex(reasonOf('time < tomorrow'), /RFC 3339 with a zone, such as 20/);
  t.regex(reasonOf('action = read'), /submit, poll, cancel/);
});

test('a caveat that is not UTF-8 is not understood, and shown as hex', (t) => {
  const predicate = toPredicate({ kind: 'first-party', cid: Buffer.from([0x61, 0xff]), text: undefined });
  t.deepEqual(predicate, { kind: 'unknown', text: '0x61ff', reason: 'it is not UTF-8' });
  const long = toPredicate({ kind: 'first-party', cid: Buffer.alloc(2000, 0xff), text: undefined });
  t.is(long.text, `0x${'ff'.repeat(32)}…`);
  const whole = toPredicate({ kind: 'first-party', cid: Buffer.alloc(32, 0xff), text: undefined });
  t.is(whole.text, `0x${'ff'.repeat(32)}`);
});

test('a third-party caveat is not read as a first-party one, whatever its text', (t) => {
  const vid = Buffer.alloc(72);
  const cid = Buffer.from('path = /export');
  const predicate = toPredicate({ kind: 'third-party', cid, vid, location: undefined });
  t.deepEqual(predicate, { kind: 'third-party', text: 'third-party caveat path = /export' });
  const binary = toPredicate({ kind: 'third-party', cid: Buffer.from([0xff]), vid, location: undefined });
  t.is(binary.text, 'third-party caveat 0xff');
});
