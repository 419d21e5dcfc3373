import test from 'ava';
import { bugFields } from '#relay/log/bug.js';

test('of an exception are kept its type, its code and where it was thrown, and nothing of its message', (t) => {
  const error = Object.assign(new RangeError('private\n    at private (private.js:1:1)\nprivate'), {
    code: 'E_X',
  });
  const fields = bugFields(error);
  t.like(fields, { type: 'RangeError', code: 'E_X' });
  t.true(fields.at.length > 0);
  t.regex(fields.at[0] ?? '', /bug\.test\.(?:js|ts):\d+:\d+/);
  t.false(JSON.stringify(fields).includes('private'));
});

test('what is thrown and is no Error is told by its type alone', (t) => {
  t.deepEqual(bugFields('private'), { type: 'string', code: undefined, at: [] });
  t.deepEqual(bugFields(undefined), { type: 'undefined', code: undefined, at: [] });
});

test('an error without a stack has no frames', (t) => {
  const error = new Error('private');
  delete error.stack;
  t.deepEqual(bugFields(error).at, []);
});
