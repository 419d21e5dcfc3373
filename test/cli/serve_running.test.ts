import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import test from 'ava';
import { request } from 'undici';
import { mint, secret } from '../helpers/relay.js';
import { RunningProgram } from '../helpers/process.js';
import { startDestination } from '../helpers/scripted_destination.js';

const run = promisify(execFile);
const hasCurl = spawnSync('curl', ['--version']).status === 0;
const withCurl = hasCurl ? test : test.skip;

withCurl('the lines that --dev prints work when pasted', async (t) => {
  const program = new RunningProgram(t, ['serve', '--dev', '--port=0']);
  const [lines] = await program.printed(/^ {2}export KEY=[^]*?until=Finished.*$/m);
  t.is(lines.match(/^ {2}(ANSWER=\$\()?curl /gm)?.length, 3);
  const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', lines]);
  const answers = stdout.split('\n').filter((line) => line !== '');
  t.is(answers.length, 3);
  t.like(JSON.parse(answers[2] ?? ''), {
    state: 'Finished',
    ext_response: { status: '200 OK', body: '{"received":17}' },
  });
  t.regex(program.stdout, /^receiver got 17 bytes$/m);
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} lets the attempt in flight end, answers polls meanwhile, and exits with 0`, async (t) => {
    let answerNow: () => void = () => undefined;
    const destination = await startDestination(t, (_arrival, response) => {
      answerNow = () => response.end('late');
    });
    const program = new RunningProgram(
      t,
      ['serve', '--port=0', '--host=127.0.0.1', '--allow-http', '--allow-network=127.0.0.0/8'],
      {
        EXPORT_SECRET: secret,
      },
    );
    const [, url] = await program.printed(/^listening on (http:\S+)$/m);
    const post = async (body: object): Promise<Record<string, unknown>> => {
      const response = await request(`${url ?? ''}/export`, {
        method: 'POST',
        headers: { 'x-api-key': mint() },
        body: JSON.stringify(body),
      });
      return (await response.body.json()) as Record<string, unknown>;
    };
    const { id } = await post({ id: '', uri: destination.url, data: '{}' });
    await destination.arrived(1);
    program.kill(signal);
    // The signal takes a moment to arrive; from then on new jobs are refused.
    let refused = await post({ id: '', uri: destination.url, data: '{}' });
    while (refused['code'] === undefined) refused = await post({ id: '', uri: destination.url, data: '{}' });
    t.is(refused['code'], 'shutting_down');
    t.like(await post({ id }), { state: 'Processing' });
    answerNow();
    t.is(await program.exited(), 0);
    t.is(destination.arrivals.length, 1);
    t.regex(program.stdout, /"status":200,.*"msg":"job"/);
  });
}

test('a second signal ends it at once', async (t) => {
  const destination = await startDestination(t, () => undefined);
  const program = new RunningProgram(t, ['serve', '--dev', '--port=0', `--secret=${secret}`]);
  const [, url] = await program.printed(/^listening on (http:\S+)$/m);
  await request(`${url ?? ''}/export`, {
    method: 'POST',
    headers: { 'x-api-key': mint() },
    body: JSON.stringify({ id: '', uri: destination.url, data: '{}' }),
  }).then(({ body }) => body.dump());
  await destination.arrived(1);
  program.kill('SIGTERM');
  program.kill('SIGINT');
  // 128 and the number of the second; the kernel does not promise which of two signals that wait comes first.
  t.true([130, 143].includes((await program.exited()) ?? 0));
});

test('a port that is taken is said in words, and the exit status is 1', async (t) => {
  const destination = await startDestination(t);
  const program = new RunningProgram(t, ['serve', '--dev', `--port=${destination.port}`]);
  t.is(await program.exited(), 1);
  t.regex(program.stderr, /cannot start: .*EADDRINUSE/);
});

test('it says where its admin listener is', async (t) => {
  const program = new RunningProgram(t, ['serve', '--dev', '--port=0']);
  const [, url = ''] = await program.printed(/^admin listening on (\S+)$/m);
  const { statusCode, body } = await request(`${url}/readyz`);
  t.is(statusCode, 200);
  await body.dump();
});
