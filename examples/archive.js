// A service that takes its time: it answers with the URL of a task, and when that is done, there is an archive to fetch,
// which `export-relay send --output` writes to a file: node examples/archive.js [FILE]
import { Buffer } from 'node:buffer';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ExportClient } from 'export-relay/client';
import { startBox, startService } from './support/box.js';

const file = process.argv[2] ?? 'archive.zip';
// The smallest zip archive there is: the end of an empty directory.
const zip = Buffer.concat([Buffer.from([0x50, 0x4b, 5, 6]), Buffer.alloc(18)]);

let asked = 0;
const json = { 'content-type': 'application/json' };
const service = await startService((path) => {
  if (path === '/exports') return { status: 202, headers: json, body: `{"task":"${service.url}/tasks/1"}` };
  if (path === '/archives/1') return { headers: { 'content-type': 'application/zip' }, body: zip };
  asked += 1;
  return { headers: json, body: asked < 3 ? '{}' : `{"archive":"${service.url}/archives/1"}` };
});
const box = await startBox();
const client = new ExportClient(box);
try {
  const { task } = (await client.export(`${service.url}/exports`, { rows: 'all' })).json();
  console.log('the task has begun');
  let archive;
  for (let times = 0; times < 100 && archive === undefined; times += 1) {
    ({ archive } = (await client.export(task, {})).json());
    console.log(archive === undefined ? 'not done yet' : 'done');
    if (archive === undefined) await delay(100);
  }
  const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));
  const send = spawn(process.execPath, [program, 'send', '--to', archive, '--output', file, '{}'], {
    env: { ...process.env, EXPORT_RELAY_URL: box.url, EXPORT_RELAY_MACAROON: box.macaroon },
    stdio: 'inherit',
  });
  [process.exitCode] = await once(send, 'close');
} finally {
  await box.stop();
  service.stop();
}
