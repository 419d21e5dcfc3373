import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import test from 'ava';
import { settings } from '#relay/config/settings.js';
import { runBinary } from '../helpers/cli.js';

test('the binary mints a macaroon', async (t) => {
  const { status, stdout, stderr } = await runBinary(['mint', '--path', '/lp/*'], { EXPORT_SECRET: 's' });
  t.is(status, 0);
  t.is(stderr, '');
  t.regex(Buffer.from(stdout, 'base64url').toString(), /cid path = \/lp\/\*\n/);
});

test('the binary prints its configuration with secrets masked', async (t) => {
  const { status, stdout, stderr } = await runBinary(['serve', '--print-config', '-p', '0'], {
    EXPORT_SECRET: 'hunter2',
  });
  t.is(status, 0);
  t.is(stderr, '');
  t.regex(stdout, /^port = 0 +# flag --port$/m);
  t.regex(stdout, /^secret = \[redacted\] +# environment EXPORT_SECRET$/m);
});

test('the binary reports every mistake and ends with 78', async (t) => {
  const { status, stdout, stderr } = await runBinary(['serve', '--port=x', '--prot', '1'], {
    EXPORT_MAX_BODY: 'much',
    EXPORT_SECRET: 'hunter2 ',
  });
  t.is(status, 78);
  t.is(stdout, '');
  for (const name of ['--port', '--prot', 'EXPORT_MAX_BODY', 'EXPORT_SECRET']) t.true(stderr.includes(name));
  t.notRegex(stderr, /hunter2/);
});

test('without a secret the binary does not start', async (t) => {
  const { status, stderr } = await runBinary(['serve', '--port', '0']);
  t.is(status, 78);
  t.regex(stderr, /--secret.*--dev/);
});

test('the binary ends with 2 for an unknown command, and for none', async (t) => {
  const unknown = await runBinary(['sevre']);
  t.is(unknown.status, 2);
  t.regex(unknown.stderr, /did you mean serve\?/);
  const none = await runBinary([]);
  t.is(none.status, 2);
  t.regex(none.stderr, /^Usage: /);
});

test('the binary prints help and version', async (t) => {
  const help = await runBinary(['serve', '--help']);
  t.is(help.status, 0);
  for (const { flag } of Object.values(settings)) t.true(help.stdout.includes(`--${flag}`), flag);
  for (const command of ['demo', 'mint', 'inspect', 'attenuate', 'send', 'audit']) {
    t.regex((await runBinary([command, '--help'])).stdout, /\nExample.*:\n/);
  }
  t.regex((await runBinary(['--version'])).stdout, /^\d+\.\d+\.\d+\n$/);
});

test('a reader that has gone makes no trace', async (t) => {
  const child = spawn(process.execPath, ['dist/main.js', 'serve', '--help'], {
    env: {},
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.destroy();
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  await once(child, 'close');
  t.is(stderr, '');
  t.is(child.exitCode, 0);
});

test('output that cannot be written is a failure in one line', async (t) => {
  const notWritable = openSync('package.json', 'r');
  t.teardown(() => closeSync(notWritable));
  const child = spawn(process.execPath, ['dist/main.js', 'mint', '--secret', 's'], {
    env: {},
    stdio: ['ignore', notWritable, 'pipe'],
  });
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  await once(child, 'close');
  t.regex(stderr, /^export-relay: cannot write to the standard output: EBADF.*\n$/);
  t.is(child.exitCode, 1);
});
