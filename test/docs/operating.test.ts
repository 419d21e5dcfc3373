import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { blockOf } from '../helpers/doc_blocks.js';
import { RunningProgram } from '../helpers/process.js';
import { mintWith } from '../helpers/relay.js';
import { RelayProcess } from '../helpers/relay_process.js';
import { type Cleanup, startDestination } from '../helpers/scripted_destination.js';
import { needing } from '../helpers/tools.js';

const run = promisify(execFile);
const page = 'docs/operating/README.md';

async function scratch(t: Cleanup): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'operating-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

needing('jq')("jq: the page's lines find in a log what the page says", async (t) => {
  const { url } = await startDestination(t, (_arrival, response) => response.writeHead(201).end());
  const closed = 'http://127.0.0.1:1/';
  const relay = await RelayProcess.start(t, { logLevel: 'info' });
  const headers = { 'x-api-key': mintWith({ identifier: 'app' }) };
  const ask = async (path: string, body: object): Promise<string> => {
    const response = await fetch(`${relay.url}${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    return ((await response.json()) as { id: string }).id;
  };
  const submit = (uri: string): Promise<string> => ask('/export', { id: '', uri, data: {} });
  const id = await submit(url);
  await ask('/lp/export?until=Finished', { id });
  await ask('/export', { id: await submit(closed), action: 'cancel' });
  await submit('http://10.0.0.1/');
  await relay.stop();

  const directory = await scratch(t);
  await writeFile(join(directory, 'relay.log'), relay.stdout);
  const [left, refused, oneJob, ...others] = blockOf(page, 'sh').text.trim().split('\n');
  t.deepEqual(others, []);
  const rows = async (line = ''): Promise<unknown[]> => {
    const script = `set -o pipefail; ${line.replace('…', id)}`;
    const { stdout, stderr } = await run('bash', ['-c', script], { cwd: directory });
    t.is(stderr, '');
    return stdout
      .trim()
      .split('\n')
      .map((row) => JSON.parse(row) as unknown);
  };
  const withoutTime = async (line?: string): Promise<unknown[]> =>
    (await rows(line)).map((row) => (Array.isArray(row) ? row.slice(1) : row));
  t.deepEqual(await withoutTime(left), [
    ['app', new URL(url).origin, 2, 201],
    ['app', new URL(closed).origin, 2, 'cancelled'],
  ]);
  t.deepEqual(await withoutTime(refused), [['request', 'app', 'http://10.0.0.1', 'private']]);
  const kinds = (await rows(oneJob)).map((row) => (row as { msg: string }).msg);
  t.deepEqual(new Set(kinds), new Set(['request', 'attempt', 'job']));
});

needing('promtool')('promtool: the scrape config of the page is one', async (t) => {
  const file = join(await scratch(t), 'prometheus.yml');
  const { text } = blockOf(page, 'yaml');
  const check = (): number | null => spawnSync('promtool', ['check', 'config', file]).status;
  await writeFile(file, text);
  t.is(check(), 0);
  await writeFile(file, text.replace('targets', 'target'));
  t.is(check(), 1);
});

needing('systemd-analyze')('systemd-analyze: it has nothing to say about the unit of the page', async (t) => {
  const file = join(await scratch(t), 'export-relay.service');
  const unit = blockOf(page, 'ini').text.replace('/usr/bin/node', process.execPath);
  // It ends with 0 when it ignores a setting, and may find fault with units of the machine.
  const said = (): readonly string[] => {
    const { stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', file], {
      encoding: 'utf8',
    });
    return (stdout + stderr).split('\n').filter((line) => line.includes('export-relay.service'));
  };
  await writeFile(file, unit);
  t.deepEqual(said(), []);
  await writeFile(file, unit.replace('RestartPrevent', 'Prevent'));
  t.is(said().length, 1);
});

test('the program of the unit serves, stops when told, and ends with the statuses that no restart mends', async (t) => {
  const settings = [...blockOf(page, 'ini').text.matchAll(/^(\w+)=(.*)$/gm)];
  const valueOf = (name: string): string => settings.find(([, key]) => key === name)?.[2] ?? '';
  const [node, main, ...argv] = valueOf('ExecStart').split(' ');
  t.deepEqual([node, main], ['/usr/bin/node', '/opt/export-relay/dist/main.js']);
  const [variable = '', value = ''] = valueOf('Environment').split('=');
  const environment = { [variable]: value };
  t.is(environment['UV_THREADPOOL_SIZE'], '64');

  const settled = { EXPORT_SECRET: 's3cret', EXPORT_HOST: '127.0.0.1', DATABOX_LOCAL_PORT: '0' };
  const serving = new RunningProgram(t, argv, { ...environment, ...settled });
  await serving.printed(/^admin listening on/m);
  serving.kill('SIGTERM');
  t.is(await serving.exited(), 0);

  const mistaken = new RunningProgram(t, argv, { ...environment, ...settled, EXPORT_ATTEMPTS: 'many' });
  const misspelt = new RunningProgram(t, [...argv, '--attemps=4'], { ...environment, ...settled });
  const unmendable = valueOf('RestartPreventExitStatus').split(' ').map(Number);
  t.deepEqual([await misspelt.exited(), await mistaken.exited()], unmendable);
});
