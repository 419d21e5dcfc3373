import { spawn } from 'node:child_process';
import { once } from 'node:events';
import test from 'ava';
import { request } from 'undici';
import { RunningProgram } from '../helpers/process.js';

// Encoded, because a frame names the whole module it lies in, which here is its text.
const message = `atob('${btoa('private payload')}')`;

for (const [what, statement] of [
  ['an exception', `throw new TypeError(${message})`],
  ['a rejected promise', `Promise.reject(new TypeError(${message}))`],
] as const) {
  test(`${what} that nobody caught is logged, and ends the service with 1`, async (t) => {
    const program = new RunningProgram(t, ['serve', '--dev', '--port=0'], {
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(`process.on('SIGUSR2', () => { ${statement} })`)}`,
    });
    const [, url = ''] = await program.printed(/^listening on (http:\S+)$/m);
    await request(`${url}/export`, { method: 'POST' }).then(({ body }) => body.dump());
    program.kill('SIGUSR2');
    t.is(await program.exited(), 1);
    const lines = program.stdout.match(/^\{.*\}$/gm)?.map((line) => JSON.parse(line) as object) ?? [];
    t.like(lines.at(-2), { msg: 'request', status: 401 });
    t.like(lines.at(-1), { msg: 'bug', level: 'fatal', type: 'TypeError' });
    t.regex(program.stderr, /^export-relay serve: ended by a bug, TypeError\n {4}at /m);
    t.false((program.stdout + program.stderr).includes('private'));
  });
}

test('a log that nobody reads holds up neither the service nor its end', async (t) => {
  const child = spawn(process.execPath, ['dist/main.js', 'serve', '--dev', '--port=0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {},
  });
  t.teardown(() => child.kill('SIGKILL'));
  const exited = once(child, 'exit');
  let start = '';
  while (!start.includes('until=Finished')) start += String((await once(child.stdout, 'data')) as unknown[]);
  child.stdout.pause();
  const url = /listening on (\S+)/.exec(start)?.[1] ?? '';
  // More than the pipe holds, which is 64 KiB.
  for (let batch = 0; batch < 20; batch += 1) {
    const answers = Array.from({ length: 50 }, () => request(`${url}/export`, { method: 'POST' }));
    for (const { statusCode, body } of await Promise.all(answers)) {
      t.is(statusCode, 401);
      await body.dump();
    }
  }
  child.kill('SIGTERM');
  const [status] = (await exited) as [number | null];
  t.is(status, 0);
});
