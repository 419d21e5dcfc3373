import test from 'ava';
import { abuseCases, expectVariant, nothingIsLeft, startWorld } from '../helpers/abuse.js';
import { laterTeardown } from '../helpers/misbehaviour.js';

const world = startWorld(laterTeardown());

for (const { id, about, variants = [] } of abuseCases()) {
  for (const variant of variants) {
    // One after another, so that what one of them left behind is not another's.
    test.serial(`${id}, ${about}: ${variant.name}`, async (t) => {
      await expectVariant(t, await world, variant);
    });
  }
}

test.serial('of all these clients nothing is left', async (t) => {
  await nothingIsLeft(t, await world);
});
