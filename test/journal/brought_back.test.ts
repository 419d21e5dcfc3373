import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test from 'ava';
import { eventually } from '../helpers/eventually.js';
import { listenOnLoopback } from '../helpers/loopback.js';
import { startRelay } from '../helpers/relay.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function used(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

test('the data of jobs that a journal brought back is let go once they have ended', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'brought-back-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const held: ServerResponse[] = [];
  let release = false;
  const destination = await listenOnLoopback(
    createServer((request, response) => {
      request.resume();
      if (release) response.end();
      else held.push(response);
    }),
  );
  t.teardown(() => destination.close());
  const flags = [`--journal=${join(directory, 'journal')}`, `--audit=${join(directory, 'audit.jsonl')}`];
  const first = await startRelay(t, flags);
  const bytes = 900_000;
  const ids: string[] = [];
  for (let number = 0; number < 24; number += 1) {
    const data = JSON.stringify([number, 'x'.repeat(bytes)]);
    ids.push((await first.submit(`http://127.0.0.1:${destination.port}/in`, data)).json.id);
  }
  await first.service.stop(0);
  const second = await startRelay(t, flags);
  await eventually(() => held.length === 2);
  const before = used();
  release = true;
  for (const response of held) response.destroy();
  for (const id of ids) await second.finished(id);
  // The rest is what other tests in the process may take meanwhile.
  await eventually(() => before - used() > 0.7 * ids.length * bytes);
  t.is(second.service.stats().finished, ids.length);
});
