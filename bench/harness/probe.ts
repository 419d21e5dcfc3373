/**
 * Loaded into each measured process before its program: answers questions about the process over its IPC channel, and
 * takes part in nothing else.
 */
export interface Usage {
  /** User and system time since the process began, in microseconds. */
  readonly cpuMicros: number;
  readonly rssBytes: number;
  /** V8's heap and what hangs on it; after a collection if one was asked for. */
  readonly heapBytes: number;
}

export interface ProbeQuestion {
  readonly probe: number;
  readonly collect: boolean;
}

export interface ProbeAnswer {
  readonly probe: number;
  readonly usage: Usage;
}

function isQuestion(message: unknown): message is ProbeQuestion {
  return typeof message === 'object' && message !== null && 'probe' in message;
}

process.on('message', (message) => {
  if (!isQuestion(message)) return;
  if (message.collect) globalThis.gc?.();
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, external } = process.memoryUsage();
  const usage: Usage = { cpuMicros: user + system, rssBytes: rss, heapBytes: heapUsed + external };
  process.send?.({ probe: message.probe, usage } satisfies ProbeAnswer);
});
// The listener would keep the process alive after its program has ended.
process.channel?.unref();
