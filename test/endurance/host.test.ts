import test from 'ava';
import { Host } from './host.js';

/** A host that says one of these each time it is asked. */
function hostSaying(...lines: readonly string[]): Host {
  const left = [...lines];
  return new Host(() => Promise.resolve(`${left.shift() ?? ''}\ncpu0 1 2 3 4 5 6 7 8 9 10\n`));
}

test('of the time that was wanted between two questions, it is told what was got', async (t) => {
  const host = hostSaying(
    'cpu  1000 100 500 9000 70 10 20 300 0 0',
    'cpu  1060 110 520 9900 80 15 25 400 0 0',
    'cpu  1160 110 520 9900 80 15 25 400 0 0',
  );
  await host.granted();
  t.is(await host.granted(), 0.5);
  t.is(await host.granted(), 1);
});

test('where nothing was wanted, or nothing is told, all was got', async (t) => {
  const idle = hostSaying('cpu  10 0 0 900 0 0 0 5 0 0', 'cpu  10 0 0 990 0 0 0 5 0 0');
  await idle.granted();
  t.is(await idle.granted(), 1);
  t.is(await new Host(() => Promise.resolve('')).granted(), 1);
});

test('this machine says something that can be', async (t) => {
  const granted = await new Host().granted();
  t.true(granted > 0 && granted <= 1, String(granted));
});
