/** What is logged of an exception that nobody expected. */
export interface BugFields {
  readonly type: string;
  readonly code: string | undefined;
  /** Where it was thrown. */
  readonly at: readonly string[];
}

const maxFrames = 20;

/** What an exception is and where it was thrown; not its message, which may quote what somebody exports. */
export function bugFields(error: unknown): BugFields {
  if (!(error instanceof Error)) return { type: typeof error, code: undefined, at: [] };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return { type: error.name, code, at: framesOf(error) };
}

function framesOf({ stack = '', message }: Error): readonly string[] {
  // A message may have lines that look like frames.
  const afterMessage = stack.slice(stack.indexOf(message) + message.length);
  return afterMessage
    .split('\n')
    .filter((line) => line.startsWith('    at '))
    .slice(0, maxFrames)
    .map((line) => line.slice('    at '.length));
}
