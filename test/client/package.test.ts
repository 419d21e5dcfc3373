import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { mint, startRelay } from '../helpers/relay.js';
import { startDestination } from '../helpers/scripted_destination.js';

const run = promisify(execFile);

const program = `
import { ExportClient, inspect } from 'export-relay/client';
import * as main from 'export-relay';
if (main.ExportClient !== ExportClient) throw new Error('two libraries');
const [url, macaroon, destination] = process.argv.slice(2);
const answer = await new ExportClient({ url, macaroon }).export(destination, { from: 'a package' });
console.log(answer.statusLine, inspect(macaroon).caveats.length);
`;

const typed = `
import { ExportClient, type Job } from 'export-relay/client';
import type { DestinationAnswer } from 'export-relay';
export async function use(client: ExportClient): Promise<DestinationAnswer> {
  for await (const job of client.follow('id')) shown(job);
  return client.export('https://a.example/', [1], { onState: shown, signal: AbortSignal.timeout(5) });
}
function shown(job: Job): string {
  if (job.state !== 'Finished') return job.state;
  return job.error === undefined ? job.answer.statusLine : job.error.code;
}
export const client = new ExportClient({ url: 'http://a', macaroon: 'b', fetch, WebSocket });
// @ts-expect-error data is an object, or text that holds one
export const wrong = client.submit('https://a.example/', 12);
`;

test('the packed package runs and has types in an empty project, without any dependency', async (t) => {
  const home = mkdtempSync(join(tmpdir(), 'packed-'));
  t.teardown(() => rmSync(home, { recursive: true, force: true }));
  const packed = await run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', home]);
  const unpacked = join(home, 'node_modules/export-relay');
  mkdirSync(unpacked, { recursive: true });
  const tarball = join(home, packed.stdout.trim());
  await run('tar', ['xzf', tarball, '-C', unpacked, '--strip-components=1']);
  const { stdout: files } = await run('tar', ['tzf', tarball]);
  t.notRegex(files, /\/(?:src|test|build|node_modules)\/|\.map$|tsbuildinfo/m);
  writeFileSync(join(home, 'package.json'), '{"type":"module"}');
  writeFileSync(join(home, 'program.js'), program);
  writeFileSync(join(home, 'typed.ts'), typed);
  const destination = await startDestination(t);
  const relay = await startRelay(t);
  const argv = ['program.js', relay.url, mint('method = POST'), destination.url];
  const { stdout, stderr } = await run(process.execPath, argv, { cwd: home });
  t.is(stdout, '200 OK 1\n');
  t.is(stderr, '');
  const tsc = resolve('node_modules/typescript/bin/tsc');
  const flags = [
    '--module',
    'nodenext',
    '--target',
    'es2022',
    '--strict',
    '--noEmit',
    '--skipDefaultLibCheck',
  ];
  await t.notThrowsAsync(
    run(process.execPath, [tsc, ...flags, '--lib', 'es2023,dom,dom.iterable', 'typed.ts'], { cwd: home }),
  );
});
