import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runInNewContext } from 'node:vm';
import test from 'ava';
import { WebSocket } from 'ws';
import { blockOf, docBlocks, steady } from '../helpers/doc_blocks.js';
import { RunningProgram } from '../helpers/process.js';
import { mint, startRelay } from '../helpers/relay.js';
import { type Cleanup, startDestination } from '../helpers/scripted_destination.js';
import { ClientSocket } from '../helpers/sockets.js';
import { parseFuzzArguments } from '../fuzz/arguments.js';
import { faultFlags, overloadFlags, soakFlags } from '../endurance/flags.js';
import { parseMutantArguments } from '../mutation/arguments.js';
import { scenarios } from '../faults/figures/all.js';

async function scratch(t: Cleanup): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'docs-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** The arguments behind `npm run <script> --` in each line. */
function argumentsOf(page: string, script: string): readonly (readonly string[])[] {
  return docBlocks(page)
    .flatMap(({ text }) => text.split(/\n| && /))
    .map((line) => line.replace(/\s+#.*$/, '').split(' -- '))
    .filter(([command]) => command === `npm run ${script}`)
    .map(([, argv = '']) => argv.split(' ').filter((word) => word !== ''));
}

test('docs/durability.md: the command keeps jobs in the directory', async (t) => {
  const { text } = blockOf('docs/durability.md', 'sh');
  const [, flags = ''] = /^npm start -- (.*)$/m.exec(text) ?? [];
  const directory = await scratch(t);
  const argv = flags.replace('/var/lib/export-relay', join(directory, 'journal')).split(' ');
  const program = new RunningProgram(t, ['serve', ...argv, '--port=0']);
  await program.printed(/^listening on/m);
  t.true((await readdir(directory)).includes('journal'));
});

test('docs/platform.md: what is missing is reported as the page shows', async (t) => {
  const directory = await scratch(t);
  await writeFile(join(directory, 'ROOT_CA'), 'none');
  const program = new RunningProgram(t, ['serve', '--port=0'], {
    EXPORT_SECRETS_DIR: directory,
    DATABOX_ARBITER_ENDPOINT: 'tcp://arbiter:4444',
  });
  t.is(await program.exited(), 78);
  t.is(program.stderr, blockOf('docs/platform.md', 'text').text);
});

test('docs/websocket.md: a session is as the page shows', async (t) => {
  const [session] = docBlocks('docs/websocket.md');
  const lines = (session?.text ?? '').trim().split('\n');
  const relay = await startRelay(t);
  const destination = await startDestination(t, ({ body }, response) => {
    response.setHeader('content-type', 'application/json');
    setTimeout(() => response.end(`{"received":${body.length}}`), 20);
  });
  const ws = new WebSocket(`${relay.service.url.replace('http', 'ws')}/ws/export`, {
    headers: { 'x-api-key': mint() },
  });
  const socket = new ClientSocket(ws);
  await once(ws, 'open');
  let expected = 0;
  for (const line of lines) {
    if (line.startsWith('> ')) {
      const sent = JSON.parse(line.slice(2)) as { uri?: string };
      socket.send(sent.uri === undefined ? sent : { ...sent, uri: destination.url });
      continue;
    }
    await socket.frame(() => socket.frames.length > expected);
    t.is(steadyFrame(JSON.stringify(socket.frames[expected])), steadyFrame(line.slice(2)));
    expected += 1;
  }
  t.is(expected, 4);
});

/** Headers that a destination's own server adds are no part of what the page is about. */
function steadyFrame(text: string): string {
  return steady(text).replace(/"headers":\{[^}]*\}/, '"headers":{}');
}

test("docs/websocket.md: the browser's lines submit and get every frame", async (t) => {
  const [, program] = docBlocks('docs/websocket.md');
  const relay = await startRelay(t);
  const destination = await startDestination(t, (_arrival, response) => response.end('ok'));
  const frames: { ref?: string; state?: string }[] = [];
  const sockets: WebSocket[] = [];
  t.teardown(() => sockets.forEach((socket) => socket.terminate()));
  class PageSocket extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url.replace('wss://relay:8080', relay.service.url.replace('http', 'ws')), protocols);
      sockets.push(this);
    }
  }
  const done = new Promise<void>((resolve) => {
    const log = (frame: (typeof frames)[number]): void => {
      frames.push(frame);
      if (frame.state === 'Finished') resolve();
    };
    runInNewContext(program?.text ?? '', {
      WebSocket: PageSocket,
      macaroon: mint(),
      uri: destination.url,
      data: {},
      console: { log },
    });
  });
  await done;
  t.is(frames[0]?.ref, 'first');
});

test('docs/reliability.md: the scenarios and flags named there exist', (t) => {
  const ids = new Set(scenarios.map(({ id }) => id));
  const lines = argumentsOf('docs/reliability.md', 'faults');
  t.is(lines.length, 4);
  for (const args of lines) {
    const { positionals } = parseArgs({ args: [...args], allowPositionals: true, options: faultFlags });
    for (const id of positionals) t.true(ids.has(id), id);
  }
  for (const [script, options] of [
    ['soak', soakFlags],
    ['overload', overloadFlags],
  ] as const) {
    const [args = [], ...others] = argumentsOf('docs/reliability.md', script);
    t.true(args.length > 0 && others.length === 0);
    t.notThrows(() => parseArgs({ args: [...args], options }));
    // Others are named in the remark behind it.
    const [, remark = ''] =
      new RegExp(`^npm run ${script} .*#(.*)$`, 'm').exec(readFileSync('docs/reliability.md', 'utf8')) ?? [];
    for (const [, flag = ''] of remark.matchAll(/--(\w+)/g)) t.true(flag in options, flag);
  }
});

test('docs/performance.md: the measurements named there exist', (t) => {
  const listed = spawnSync(process.execPath, ['build/bench/main.js', '--list'], { encoding: 'utf8' });
  const names = listed.stdout.split('\n').map((line) => line.split(' ')[0]);
  const help = spawnSync(process.execPath, ['build/bench/main.js', '--help'], { encoding: 'utf8' }).stdout;
  for (const argv of argumentsOf('docs/performance.md', 'bench')) {
    for (const [index, word] of argv.entries()) {
      const isValue = /^(--rounds|--json|--markdown|--cpu-prof|profile)$/.test(argv[index - 1] ?? '');
      const known =
        names.includes(word) || ['growth', 'profile'].includes(word) || help.includes(` ${word} `);
      t.true(isValue || known, word);
    }
  }
});

test('the commands of docs/fuzzing.md are understood', (t) => {
  for (const argv of argumentsOf('docs/fuzzing.md', 'fuzz')) {
    t.is(typeof parseFuzzArguments(argv), 'object', argv.join(' '));
  }
  t.is(parseFuzzArguments(['nothing']), 'there is no such target');
});

test('the commands of docs/mutation.md are understood', (t) => {
  const lines = argumentsOf('docs/mutation.md', 'mutants');
  t.is(lines.length, 4);
  for (const argv of lines) t.is(typeof parseMutantArguments(argv), 'object', argv.join(' '));
  t.deepEqual(argumentsOf('docs/mutation.md', '--silent mutants'), [
    ['macaroon', '--json', '>', 'mutants.json'],
  ]);
});
