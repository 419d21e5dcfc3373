import { Pool } from 'undici';

/** POSTs a body to a receiver, so many times and so many at once, as an app could without any relay. */
export interface Posting {
  readonly posting: number;
  readonly port: number;
  readonly path: string;
  readonly body: string;
  readonly count: number;
  readonly concurrency: number;
}

export interface Posted {
  readonly posting: number;
  /** Until the last answer was read. */
  readonly durationMs: number;
}

process.on('message', (message) => {
  if (typeof message === 'object' && message !== null && 'posting' in message)
    void perform(message as Posting);
});

async function perform({ posting, port, path, body, count, concurrency }: Posting): Promise<void> {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: concurrency, pipelining: 1 });
  const startedAtMs = performance.now();
  let sent = 0;
  const postUntilDone = async (): Promise<void> => {
    while (sent < count) {
      sent += 1;
      const { statusCode, body: answer } = await pool.request({
        path,
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'user-agent': 'yardstick/1.0',
          'idempotency-key': '9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d',
        },
        body,
      });
      await answer.text();
      if (statusCode !== 200) throw new Error(`the receiver answered ${statusCode}`);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, postUntilDone));
  const durationMs = performance.now() - startedAtMs;
  await pool.close();
  process.send?.({ posting, durationMs } satisfies Posted);
}

process.channel?.ref();
process.stdout.write('ready\n');
process.on('SIGTERM', () => process.exit());
