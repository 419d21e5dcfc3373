import { randomBytes } from 'node:crypto';
import { parseConfig } from '../config/parse.js';
import { createLogger } from '../log/logger.js';
import { mintMacaroon } from '../macaroon/mint.js';
import { type Service, startService } from '../service.js';
import { type Command, type CommandContext, exitStatus } from './command.js';
import { DemoClient, type JobView } from './demo_client.js';
import { type Receiver, type Received, startReceiver } from './receiver.js';

/** Shows an export from end to end on one machine. */
export const demo: Command = {
  name: 'demo',
  summary: 'show an export from end to end on this machine, with nothing configured',
  help: `Usage: export-relay demo

Starts a relay, a destination and a macaroon on this machine, exports twice (once polling, once long polling), shows
every state on the way, and exits 0 when both exports arrived.

Example:
  export-relay demo
`,
  run: (context) => new Demo(context).run(),
};

/** The data of the demo: a number with more digits than a double holds shows that nothing is rewritten. */
const polled = '{"greeting":"grüß dich","reading":12345678901234567890.10}';
const longPolled = '[{"room":"kitchen","celsius":21.50},{"room":"attic","celsius":-3.0}]';

class Demo {
  readonly #say: (line: string) => void;
  readonly #deliveries: Received[] = [];
  /** The receiver answers only when this is called, so that Processing can be seen on any machine. */
  #letReceiverAnswer: () => void = () => undefined;

  constructor({ stdout }: CommandContext) {
    this.#say = (line) => stdout(`${line}\n`);
  }

  async run(): Promise<number> {
    const secret = randomBytes(32).toString('base64url');
    const receiver = await startReceiver((received) => this.#receive(received));
    const service = await startRelay(secret);
    try {
      const ok = await this.#show(secret, receiver, service);
      this.#say('');
      this.#say(ok ? 'Both exports arrived, byte for byte.' : 'An export did not arrive as it should.');
      return ok ? exitStatus.done : exitStatus.failed;
    } finally {
      await service.stop(0);
      await receiver.close();
    }
  }

  async #show(secret: string, receiver: Receiver, service: Service): Promise<boolean> {
    const macaroon = mintFor(receiver.url, secret);
    this.#say('export-relay demo: data leaves through the relay, and the answer comes back.');
    this.#say('');
    this.#say(`  relay        ${service.url}`);
    this.#say(`  destination  ${receiver.url} (a small server of this demo)`);
    this.#say(`  macaroon     allows exports to that destination only: ${macaroon.slice(0, 24)}…`);
    const client = new DemoClient(service.url, macaroon, receiver.url);
    const first = await this.#export('POST /export, then poll until it is Finished', polled, {
      submit: (data) => client.submit('/export', data),
      next: (job) => client.poll(job),
    });
    const second = await this.#export(
      'POST /lp/export, then long poll: each answer comes with a change',
      longPolled,
      {
        submit: (data) => client.submit('/lp/export', data),
        next: (job) => client.longPoll(job),
      },
    );
    return first && second;
  }

  async #export(
    title: string,
    data: string,
    steps: {
      readonly submit: (data: string) => Promise<JobView>;
      readonly next: (job: JobView) => Promise<JobView>;
    },
  ): Promise<boolean> {
    this.#say('');
    this.#say(title);
    this.#say(`  data       ${data}`);
    let job = await steps.submit(data);
    this.#say(`  job        ${job.id}`);
    this.#say(`  state      ${job.state}`);
    while (job.state !== 'Finished') {
      const before = job.state;
      job = await steps.next(job);
      if (job.state !== before) this.#say(`  state      ${job.state}`);
      if (job.state === 'Processing') this.#letReceiverAnswer();
    }
    const delivered = this.#deliveries.at(-1)?.body;
    this.#say(`  delivered  ${delivered ?? 'nothing'}`);
    this.#say(`  response   ${job.ext_response.status ?? ''} ${job.ext_response.body ?? ''}`);
    return delivered === data && job.ext_response.status === '200 OK';
  }

  #receive(received: Received): Promise<void> {
    this.#deliveries.push(received);
    return new Promise((resolve) => {
      this.#letReceiverAnswer = resolve;
    });
  }
}

async function startRelay(secret: string): Promise<Service> {
  const parsed = parseConfig({ argv: ['--dev', '--port=0', `--secret=${secret}`], env: {} });
  if (!parsed.ok) throw new Error(parsed.mistakes.join('; '));
  return startService(parsed.config, { logger: createLogger('silent', { write: () => undefined }) });
}

function mintFor(destination: string, secret: string): string {
  const caveats = ['target = export-service', 'method = POST', `destination = ${destination}`];
  const minted = mintMacaroon({ secret, identifier: '', location: '', caveats });
  if (!minted.ok) throw new Error(minted.reason);
  return minted.token;
}
