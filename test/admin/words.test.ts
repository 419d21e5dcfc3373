import test from 'ava';
import type { Entry } from '#relay/admin/entry.js';
import { Ledger } from '#relay/admin/ledger.js';
import { reasonOf } from '#relay/admin/words.js';
import { destination } from '../helpers/jobs.js';

function refusedEntry(code: 'caveat_not_satisfied' | 'destination_refused', what: string): Entry {
  const ledger = new Ledger({ maxEntries: 100, nowMs: () => 0 });
  ledger.onRefusal({
    owner: '',
    destination: destination(),
    purpose: undefined,
    dataBytes: 0,
    dataSha256: () => '',
    failure:
      code === 'destination_refused' ? { code, rule: what, detail: '' } : { code, caveat: what, detail: '' },
  });
  const entry = ledger.endedBefore(Infinity);
  if (entry === undefined) throw new Error('no entry');
  return entry;
}

for (const [caveat, reason] of [
  ['target = other', /another service/],
  ['destination = https://a.example', /does not cover this destination/],
  ['time < 2020-01-01T00:00:00Z', /has ended/],
  ['bytes <= 3', /larger/],
  ['sha256 = 00', /not what the app/],
  ['action = poll', /not for exporting/],
  ['<script>alert(1)</script>', /does not cover this\./],
  ['constructor', /does not cover this\./],
] as const) {
  test(`a refusal for the caveat "${caveat}" is explained without it`, (t) => {
    const text = reasonOf(refusedEntry('caveat_not_satisfied', caveat)) ?? '';
    t.regex(text, reason);
  });
}

for (const [rule, reason] of [
  ['http', /not be encrypted/],
  ['own_listener', /relay itself/],
  ['loopback', /this machine itself/],
  ['private', /private network/],
  ['destination_not_listed', /operator allows/],
  ['require_destination', /does not say where/],
  ['multicast', /not on the public internet/],
] as const) {
  test(`a refusal by the rule ${rule} is explained`, (t) => {
    t.regex(reasonOf(refusedEntry('destination_refused', rule)) ?? '', reason);
  });
}
