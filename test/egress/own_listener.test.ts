import test from 'ava';
import { isOwnListener, type OwnListener, reachableListeners } from '#relay/egress/own_listener.js';
import { parseAddress } from '#relay/egress/network.js';

const machineAddresses = ['127.0.0.1', '172.18.0.2', '93.184.216.34', '::1', '2606:4700::2', 'fe80::2%eth0'];

function reaches(bound: string, address: string, port = 8080): boolean {
  const own: readonly OwnListener[] = reachableListeners([{ address: bound, port: 8080 }], machineAddresses);
  const parsed = parseAddress(address);
  if (parsed === undefined) throw new Error(`${address} is no address`);
  return isOwnListener(parsed, port, own);
}

const everyAddress = [
  '0.0.0.0',
  '127.0.0.1',
  '127.9.9.9',
  '172.18.0.2',
  '93.184.216.34',
  '::',
  '::1',
  '::ffff:127.9.9.9',
  '::ffff:172.18.0.2',
  '::ffff:0.0.0.0',
  '64:ff9b::5db8:d822',
  '2002:5db8:d822::1',
  '2606:4700::2',
  'fe80::2',
];

for (const bound of ['0.0.0.0', '::']) {
  test(`a listener on ${bound} is reached at every address of the machine`, (t) => {
    for (const address of everyAddress) t.true(reaches(bound, address), address);
  });

  test(`a listener on ${bound} is not reached at other machines or other ports`, (t) => {
    for (const address of ['172.18.0.3', '93.184.216.35', '2606:4700::3']) {
      t.false(reaches(bound, address), address);
    }
    for (const address of everyAddress) t.false(reaches(bound, address, 8081), address);
  });
}

test('a listener on one address is reached there, and by its other names', (t) => {
  for (const address of ['127.0.0.1', '0.0.0.0', '::ffff:127.0.0.1']) {
    t.true(reaches('127.0.0.1', address), address);
  }
  for (const address of ['127.0.0.2', '172.18.0.2', '::1']) t.false(reaches('127.0.0.1', address), address);
  t.true(reaches('::1', '::'));
  t.true(reaches('::ffff:172.18.0.2', '172.18.0.2'));
  t.true(reaches('172.18.0.2', '::ffff:172.18.0.2'));
  t.false(reaches('172.18.0.2', '127.0.0.1'));
});
