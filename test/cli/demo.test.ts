import test from 'ava';
import { RunningProgram } from '../helpers/process.js';

test('the demo shows every state twice, the delivered data and the kept answers, and exits with 0', async (t) => {
  const program = new RunningProgram(t, ['demo']);
  t.is(await program.exited(), 0);
  t.deepEqual(
    [...program.stdout.matchAll(/state +(\w+)/g)].map(([, state]) => state),
    ['Pending', 'Processing', 'Finished', 'Pending', 'Processing', 'Finished'],
  );
  const pairs = [
    ...program.stdout.matchAll(/^ {2}data +(.+)$[^]*?^ {2}delivered +(.+)$\n^ {2}response +(.+)$/gm),
  ];
  t.is(pairs.length, 2);
  for (const [, data, delivered, response] of pairs) {
    t.is(delivered, data);
    t.is(response, `200 OK {"received":${Buffer.byteLength(String(data))}}`);
  }
  t.is(program.stderr, '');
});
