import test from 'ava';
import { secretFromAnswer } from '#relay/arbiter/outcome.js';

test('text is a secret as it is', (t) => {
  const texts = [
    '1c9ac1c5-95a6-4cd8-9d6b-4a3f1c9d0001',
    'this is our super secret key; only we should know it',
    ' with spaces around ',
    'schlüssel–🔑',
    '\ufeffwith a byte order mark',
    'x'.repeat(1024),
  ];
  for (const text of texts)
    t.deepEqual(secretFromAnswer(Buffer.from(text)), { reason: 'secret', secret: text });
});

test('what is no secret is told apart, and never quoted', (t) => {
  const answers = [
    ['', 'empty_secret'],
    [' ', 'empty_secret'],
    ['\r\n\t', 'empty_secret'],
    ['\u00a0\ufeff', 'empty_secret'],
    ['hidden\n', 'garbage'],
    ['hidden\0', 'garbage'],
    ['hidden\u0085', 'garbage'],
    ['hidden'.repeat(171), 'garbage'],
    [Buffer.from('hidden\xff', 'latin1'), 'garbage'],
  ] as const;
  for (const [answer, reason] of answers) {
    const outcome = secretFromAnswer(Buffer.from(answer));
    t.is(outcome.reason, reason, JSON.stringify(answer));
    t.false(JSON.stringify(outcome).includes('hidden'));
  }
});
