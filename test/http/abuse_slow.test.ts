import test from 'ava';
import { abuseCases, expectAnswers, nothingIsLeft, servesWell, startWorld } from '../helpers/abuse.js';
import { laterTeardown } from '../helpers/misbehaviour.js';

const requestTimeoutMs = 400;
const world = startWorld(laterTeardown(), [`--request-timeout=${requestTimeoutMs}ms`]);

for (const { id, about, slow = [] } of abuseCases()) {
  for (const variant of slow) {
    test(`${id}, ${about}: ${variant.name}`, async (t) => {
      const startedMs = performance.now();
      await expectAnswers(t, await world, variant);
      const tookMs = performance.now() - startedMs;
      t.true(tookMs >= requestTimeoutMs / 2, `closed after ${tookMs} ms`);
      t.true(tookMs < requestTimeoutMs * 2 + 3000, `closed after ${tookMs} ms`);
    });
  }
}

test('a relay with slow clients serves the others meanwhile', async (t) => {
  await servesWell(t, await world);
});

test.after(async (t) => {
  await nothingIsLeft(t, await world);
});
