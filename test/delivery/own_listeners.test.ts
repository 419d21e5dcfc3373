import { networkInterfaces } from 'node:os';
import test from 'ava';
import { currentOwnListeners } from '#relay/delivery/own_listeners.js';
import { type OwnListener } from '#relay/egress/own_listener.js';
import { judgeAddress } from '#relay/egress/policy.js';
import { policy } from '../helpers/egress.js';
import { eventually } from '../helpers/eventually.js';

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

test('while the interfaces cannot be read, as no descriptor is left, the addresses known before count', async (t) => {
  let readable = true;
  let failures = 0;
  const own = currentOwnListeners(
    () => [{ address: '0.0.0.0', port: 8080 }],
    () => {
      if (readable) return ['192.0.2.7'];
      failures += 1;
      throw new Error('EMFILE');
    },
  );
  readable = false;
  await eventually(() => own().some(({ address }) => address === '192.0.2.7') && failures > 0);
  t.deepEqual(own(), [
    { address: '0.0.0.0', port: 8080 },
    { address: '192.0.2.7', port: 8080 },
  ]);
});

test('a listener that is bound before the first question is found by it', (t) => {
  const own = currentOwnListeners(
    () => [{ address: '127.0.0.1', port: 8080 }],
    () => ['192.0.2.7'],
  );
  t.deepEqual(own(), [{ address: '127.0.0.1', port: 8080 }]);
});

test('the interfaces are not read for every question', (t) => {
  let readings = 0;
  const own = currentOwnListeners(
    () => [{ address: '0.0.0.0', port: 8080 }],
    () => {
      readings += 1;
      return ['192.0.2.7'];
    },
  );
  const begunAtMs = performance.now();
  for (let count = 0; count < 20; count += 1) own();
  t.true(readings <= 1 + Math.ceil((performance.now() - begunAtMs) / 1000), `${readings} readings`);
});

test('an address that the machine gets later counts before long', async (t) => {
  const addresses = ['192.0.2.7'];
  const own = currentOwnListeners(
    () => [{ address: '0.0.0.0', port: 8080 }],
    () => [...addresses],
  );
  t.false(own().some(({ address }) => address === '192.0.2.8'));
  addresses.push('192.0.2.8');
  await eventually(() => own().some(({ address }) => address === '192.0.2.8'));
  t.deepEqual(
    own().map(({ address }) => address),
    ['0.0.0.0', '192.0.2.7', '192.0.2.8'],
  );
});
