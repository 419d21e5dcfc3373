import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { docBlocks } from '../helpers/doc_blocks.js';
import { mintWith } from '../helpers/relay.js';
import type { Cleanup } from '../helpers/scripted_destination.js';

const run = promisify(execFile);
const standIn = fileURLToPath(new URL('../helpers/docker_stand_in.js', import.meta.url));

/** A directory whose `bin/docker` is the stand-in, and the environment that leads there. */
async function withDocker(t: Cleanup): Promise<{ home: string; env: Record<string, string> }> {
  const home = await mkdtemp(join(tmpdir(), 'image-'));
  t.teardown(() => rm(home, { recursive: true, force: true }));
  const docker = join(home, 'bin/docker');
  await mkdir(join(home, 'bin'));
  await writeFile(docker, `#!/bin/sh\nexec '${process.execPath}' '${standIn}' "$@"\n`);
  await chmod(docker, 0o755);
  const path = `${join(home, 'bin')}:${process.env['PATH'] ?? ''}`;
  return { home, env: { PATH: path, VOLUMES: join(home, 'volumes') } };
}

/** The commands of README.md that run the image. */
function commands(): readonly string[] {
  const block = docBlocks('README.md').find(({ text }) => text.startsWith('docker run '));
  return (block?.text ?? '').trim().split(/(?<!\\)\n/);
}

async function statusOf(command: readonly string[], env: Record<string, string>): Promise<number> {
  const child = spawn(process.execPath, command, { env, stdio: 'ignore' });
  const [status] = (await once(child, 'exit')) as [number];
  return status;
}

test('the image runs as README.md says: it takes requests, is healthy, and keeps its journal in the volume', async (t) => {
  const { home, env } = await withDocker(t);
  const dockerfile = await readFile('Dockerfile', 'utf8');
  const [node, ...healthCheck] = JSON.parse(/^ +CMD (\[.*\])$/m.exec(dockerfile)?.[1] ?? '[]') as string[];
  t.is(node, 'node');
  const lines = commands();
  t.is(lines.length, 2);
  for (const line of lines) {
    const shell = spawn('bash', ['-c', `exec ${line.replace('EXPORT_SECRET=…', 'EXPORT_SECRET=s3cret')}`], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const closed = once(shell, 'close');
    t.teardown(() => shell.kill());
    let printed = '';
    for await (const text of shell.stdout.setEncoding('utf8')) {
      printed += String(text);
      if (printed.includes('admin listening on')) break;
    }
    const url = /^listening on (\S+)$/m.exec(printed)?.[1] ?? '';
    const answer = await fetch(`${url}/export?dry_run=true`, {
      method: 'POST',
      headers: { 'x-api-key': mintWith({ root: 's3cret' }) },
      body: '{"id":"","uri":"https://192.0.2.1/","data":{}}',
    });
    t.is(answer.status, 403);
    await answer.text();
    const healthEnv = { DATABOX_LOCAL_PORT: new URL(url).port };
    t.is(await statusOf(healthCheck, healthEnv), 0);
    shell.kill('SIGTERM');
    t.deepEqual(await closed, [0, null]);
    t.is(await statusOf(healthCheck, healthEnv), 1);
  }
  t.deepEqual(await readdir(join(home, 'volumes/exports')), ['journal']);
});

test('the stand-in for docker refuses what it does not know', async (t) => {
  const { env } = await withDocker(t);
  for (const [line, says] of [
    ['docker run --gpus all export-relay', 'no such option here: --gpus'],
    ['docker run -p 8080:80 export-relay', 'nothing listens on 80'],
    ['docker run -v exports:/data export-relay', '/data would belong to root'],
    ['docker run another', 'no such image: another'],
    ['docker push export-relay', 'no such command here: push'],
  ] as const) {
    const error = await t.throwsAsync(run('bash', ['-c', line], { env }), undefined, line);
    t.true(error.message.includes(says), line);
  }
});
