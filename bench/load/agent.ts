import { type Tasks, tasks } from './tasks.js';

/** A process that makes load: it does what its parent asks for over the IPC channel. */
export interface Call {
  readonly call: number;
  readonly task: keyof Tasks;
  readonly args: readonly unknown[];
}

export type Reply =
  | { readonly call: number; readonly ok: true; readonly result: unknown }
  | { readonly call: number; readonly ok: false; readonly reason: string };

process.on('message', (message) => {
  if (typeof message === 'object' && message !== null && 'task' in message) void perform(message as Call);
});

async function perform({ call, task, args }: Call): Promise<void> {
  const run = tasks[task] as (...args: readonly unknown[]) => unknown;
  try {
    reply({ call, ok: true, result: await run(...args) });
  } catch (error) {
    reply({ call, ok: false, reason: error instanceof Error ? error.message : String(error) });
  }
}

function reply(message: Reply): void {
  process.send?.(message);
}

// The probe lets go of the channel; an agent lives as long as it has one.
process.channel?.ref();
process.stdout.write('ready\n');
