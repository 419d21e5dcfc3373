import { connect } from 'node:net';
import { type RelayUnderTest, startRelay } from '../helpers/relay.js';
import type { Cleanup } from '../helpers/scripted_destination.js';
import { must } from './target.js';

/** Where the corpora send exports to: nobody listens there, and nothing else may be reached. */
const nowhere = 'http://127.0.0.1:9/*';

/** A relay to be given anything: whatever it is asked for, nothing leaves the machine, and nothing is kept for long. */
export function startPatientRelay(t: Cleanup): Promise<RelayUnderTest> {
  const flags = [
    '--allow-http',
    '--allow-network=127.0.0.0/8',
    `--allow-destination=${nowhere}`,
    '--attempts=1',
  ];
  const bounds = ['--max-wait=50ms', '--max-kept=100', '--max-body=256kb', '--log-level=error'];
  return startRelay(t, [...flags, ...bounds], { production: true });
}

/** All that the relay answers to some bytes, after which nothing more is sent. Ends when it closes the connection. */
export function answerTo(port: number, bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1');
    // A connection that was reset has ended as well.
    socket.on('error', () => undefined);
    socket.setEncoding('latin1').on('data', (chunk: string) => (answer += chunk));
    socket.once('close', () => resolve(answer));
    socket.end(bytes);
  });
}

const inputsPerCheck = 64;

/** Throws where the relay has met a bug or, looked at now and then, is not well any more. */
export function checkOf(relay: RelayUnderTest): () => Promise<void> {
  let count = 0;
  return async () => {
    must(relay.log === '', `the relay has logged: ${relay.log.slice(0, 1000)}`);
    count += 1;
    if (count % inputsPerCheck > 0) return;
    const health = await fetch(`${relay.adminUrl}/healthz`);
    await health.arrayBuffer();
    must(health.status === 200, 'the relay is not well');
    const asked = await relay.post('/export', { id: 'unknown' });
    must(asked.status === 404, 'the relay does not answer as ever');
  };
}
