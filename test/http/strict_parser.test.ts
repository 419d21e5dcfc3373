import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'ava';
import { readAll } from '../helpers/raw.js';
import { RunningProgram } from '../helpers/process.js';

test('the parser is strict even where the environment asks for a lenient one', async (t) => {
  const program = new RunningProgram(t, ['serve', '--dev', '--port=0'], {
    NODE_OPTIONS: '--insecure-http-parser',
  });
  for (const name of ['listening', 'admin listening']) {
    const [, port = ''] = await program.printed(new RegExp(`^${name} on http://127.0.0.1:(\\d+)$`, 'm'));
    const socket = connect(Number(port), '127.0.0.1');
    t.teardown(() => socket.destroy());
    await once(socket, 'connect');
    // Two readings of where the body ends are two readings of what the next request is.
    socket.write(
      'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    );
    t.regex(await readAll(socket), /^HTTP\/1\.1 400 /);
  }
});
