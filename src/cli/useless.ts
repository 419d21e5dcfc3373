import { allowanceOf } from '../macaroon/allowance.js';
import { toPredicate } from '../macaroon/predicate.js';
import { decodeMacaroon } from '../macaroon/token.js';
import type { CommandContext } from './command.js';

/** A macaroon that allows nothing is still one, and can be meant, for trying out what is refused. */
export function warnIfUseless(command: string, token: string, { stderr, now }: CommandContext): void {
  const decoded = decodeMacaroon(token);
  if (!decoded.ok) return;
  const caveats = decoded.macaroon.caveats.map(toPredicate);
  const allowance = allowanceOf(caveats, now());
  if (allowance.usable) return;
  stderr(`export-relay ${command}: the macaroon allows nothing: ${allowance.reason}\n`);
}
