import { decodeMacaroon, type Macaroon } from '../macaroon/token.js';
import { whyUndecodable } from '../macaroon/undecodable.js';
import type { CommandContext } from './command.js';

/** The variable a macaroon is taken from where none is given. */
const macaroonVariable = 'EXPORT_RELAY_MACAROON';

/** A macaroon that a command is about; else what is wrong: the command line, or the macaroon. */
export type MacaroonArgument =
  | { readonly kind: 'macaroon'; readonly token: string; readonly macaroon: Macaroon }
  | { readonly kind: 'usage'; readonly mistake: string }
  | { readonly kind: 'undecodable'; readonly reason: string };

/** Takes the one operand, `-` for the standard input; without an operand, the variable. White space around it is dropped. */
export async function readMacaroon(
  operands: readonly string[],
  { env, stdin }: Pick<CommandContext, 'env' | 'stdin'>,
): Promise<MacaroonArgument> {
  const [operand = env[macaroonVariable] ?? '', ...more] = operands;
  if (more.length > 0) {
    return { kind: 'usage', mistake: `there are ${operands.length} arguments, and one macaroon is wanted` };
  }
  if (operand === '') {
    return {
      kind: 'usage',
      mistake: `there is no macaroon: give one, or - for the standard input, or set ${macaroonVariable}`,
    };
  }
  const token = (operand === '-' ? await stdin() : operand).trim();
  const decoded = decodeMacaroon(token);
  if (decoded.ok) return { kind: 'macaroon', token, macaroon: decoded.macaroon };
  return { kind: 'undecodable', reason: whyUndecodable(token) ?? decoded.reason };
}
