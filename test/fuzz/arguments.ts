import { parseArgs } from 'node:util';
import type { Target } from './target.js';
import { targets } from './targets.js';

interface FuzzArguments {
  readonly chosen: readonly Target[];
  readonly minutes: number;
  readonly seed: number;
  /** A file to play instead of the corpus and its mutations. */
  readonly input: string | undefined;
}

/** What the command is asked for, or the mistake in it. */
export function parseFuzzArguments(args: readonly string[]): FuzzArguments | string {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      minutes: { type: 'string', default: '1' },
      seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
      input: { type: 'string' },
    },
  });
  const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
  if (!(minutes > 0)) return '--minutes must be a number above 0';
  if (!Number.isSafeInteger(seed)) return '--seed must be a whole number';
  const chosen = targets.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  if (chosen.length < positionals.length) return 'there is no such target';
  if (values.input !== undefined && chosen.length > 1) return '--input needs the name of one target';
  return { chosen, minutes, seed, input: values.input };
}
