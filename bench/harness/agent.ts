import type { Call, Reply } from '../load/agent.js';
import type { Tasks } from '../load/tasks.js';
import { Program } from './program.js';

/** A process that makes load, seen from the one that measures. */
export class Agent {
  readonly #program: Program;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #calls = 0;

  private constructor(program: Program) {
    this.#program = program;
    program.onMessage((message) => {
      if (!isReply(message)) return;
      this.#waiting.get(message.call)?.(message);
      this.#waiting.delete(message.call);
    });
  }

  static async start(): Promise<Agent> {
    const program = new Program({ module: new URL('../load/agent.js', import.meta.url) });
    const agent = new Agent(program);
    await program.printed(/ready/);
    return agent;
  }

  /** Performs a task over there. */
  run<Name extends keyof Tasks>(
    task: Name,
    ...args: Parameters<Tasks[Name]>
  ): Promise<Awaited<ReturnType<Tasks[Name]>>> {
    const call = (this.#calls += 1);
    return new Promise((resolve, reject) => {
      this.#waiting.set(call, (reply) => {
        if (reply.ok) resolve(reply.result as Awaited<ReturnType<Tasks[Name]>>);
        else reject(new Error(`${task}: ${reply.reason}`));
      });
      this.#program.send({ call, task, args } satisfies Call);
    });
  }

  /** Figures about the process itself: a load generator that is busy all the time is what one has measured. */
  usage(): ReturnType<Program['usage']> {
    return this.#program.usage();
  }

  stop(): Promise<void> {
    return this.#program.kill();
  }
}

function isReply(message: unknown): message is Reply {
  return typeof message === 'object' && message !== null && 'call' in message && 'ok' in message;
}
