import test from 'ava';
import { createSubject, media } from '../helpers/registries.js';
import { admission } from './contract_admission.js';
import { lifecycle } from './contract_lifecycle.js';
import { watching } from './contract_watching.js';

for (const medium of media) {
  for (const { name, options = {}, run } of [...lifecycle, ...watching, ...admission]) {
    test(`${medium.name}: ${name}`, async (t) => run(t, await createSubject(t, medium, options)));
  }
}
