import { networkInterfaces } from 'node:os';
import test from 'ava';
import { currentOwnListeners } from '#relay/delivery/own_listeners.js';
import { type OwnListener } from '#relay/egress/own_listener.js';
import { judgeAddress } from '#relay/egress/policy.js';
import { policy } from '../helpers/egress.js';

test('a listener on every address is found at each address of this machine, once it is bound', (t) => {
  const bound: OwnListener[] = [];
  const own = currentOwnListeners(() => bound);
  const everything = policy({ allowNetworks: ['0.0.0.0/0', '::/0'] });
  const addresses = Object.values(networkInterfaces()).flatMap((entries = []) =>
    entries.map(({ address }) => address),
  );
  t.true(addresses.length > 0);
  for (const address of addresses) t.true(judgeAddress(address, 8080, everything, own()).allowed, address);
  bound.push({ address: '0.0.0.0', port: 8080 });
  for (const address of addresses) {
    t.like(judgeAddress(address, 8080, everything, own()), { rule: 'own_listener' }, address);
    t.true(judgeAddress(address, 8081, everything, own()).allowed, address);
  }
});
