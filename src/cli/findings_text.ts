import { explain } from '../macaroon/explain.js';
import type { Fit, Missing } from '../macaroon/fit.js';
import type { Predicate } from '../macaroon/predicate.js';
import { maxCaveats, maxTokenLength } from '../macaroon/token.js';
import type { Findings } from './findings.js';

/** What was found, for a person. Everything a stranger may have written is shown with its control characters escaped. */
export function textOf(findings: Findings): string {
  const { location, identifier, length, caveats } = findings;
  const lines = [
    `location    ${location === '' ? '(none)' : visible(location)}`,
    `identifier  ${identifier === '' ? '(none)' : visible(identifier)}`,
    `signature   ${signatureText(findings)}`,
    `size        ${length} of ${maxTokenLength} characters, ${caveats.length} of ${maxCaveats} caveats`,
    '',
    ...caveatLines(findings),
    '',
    ...allowanceLines(findings),
    ...verdictLines(findings),
    '',
  ];
  return lines.join('\n');
}

/** What was found, for a program: one line of JSON. */
export function jsonOf(findings: Findings): string {
  const { location, identifier, signature, length, caveats, allowance, nowMs } = findings;
  const asked = caveats.some(({ fit }) => fit !== undefined);
  return `${JSON.stringify({
    macaroon: true,
    location,
    identifier,
    signature,
    length,
    caveats: caveats.map(({ caveat, fit }) => ({
      text: caveat.text,
      kind: caveat.kind,
      meaning: explain(caveat),
      ...(caveat.kind === 'time'
        ? {
            expires_at: rfc3339(caveat.expiresAtMs),
            expires_in_seconds: Math.floor((caveat.expiresAtMs - nowMs) / 1000),
          }
        : {}),
      ...(fit === undefined ? {} : fitMembers(fit)),
    })),
    allows: allowance.usable ? allowance.lines : [],
    ...(allowance.usable ? {} : { allows_nothing: allowance.reason }),
    ...(asked ? { fits: caveats.every(({ fit }) => fit?.kind !== 'refused') } : {}),
  })}\n`;
}

function fitMembers(fit: Fit): Readonly<Record<string, unknown>> {
  switch (fit.kind) {
    case 'satisfied':
      return { satisfied: true };
    case 'refused':
      return { satisfied: false, reason: fit.reason };
    case 'open':
      return { satisfied: null, missing: fit.missing };
  }
}

function signatureText({ signature, signatureStart }: Findings): string {
  switch (signature) {
    case 'holds':
      return `${signatureStart}…, holds: a relay with this secret takes it for genuine`;
    case 'broken':
      return `${signatureStart}…, DOES NOT HOLD: another secret signed it, or a caveat was changed or taken away`;
    case 'unchecked':
      return `${signatureStart}…, not checked: that takes the relay's --secret`;
  }
}

function caveatLines({ caveats, nowMs }: Findings): readonly string[] {
  if (caveats.length === 0) return ['no caveats: it restricts nothing'];
  return [
    'caveats',
    ...caveats.flatMap(({ caveat, fit }, index) => oneCaveat(caveat, fit, index + 1, nowMs)),
  ];
}

function oneCaveat(
  caveat: Predicate,
  fit: Fit | undefined,
  number: number,
  nowMs: number,
): readonly string[] {
  const mark = fit === undefined ? '' : { satisfied: '✓ ', refused: '✗ ', open: '? ' }[fit.kind];
  const indent = ' '.repeat(6);
  return [
    `${String(number).padStart(4)}  ${mark}${visible(caveat.text)}`,
    `${indent}${visible(explain(caveat))}${caveat.kind === 'time' ? ` ${distance(caveat.expiresAtMs - nowMs)}` : ''}`,
    ...(fit?.kind === 'refused' ? [`${indent}Not satisfied: ${visible(fit.reason)}.`] : []),
    ...(fit?.kind === 'open' ? [`${indent}Not judged: say ${flagFor[fit.missing]} to have it judged.`] : []),
  ];
}

const flagFor: Readonly<Record<Missing, string>> = {
  target: "the relay's name with --target",
  path: '--path',
  method: '--method',
  destination: '--destination',
  action: '--action',
  job: '--job',
  bytes: '--bytes or --data',
  data: '--data',
};

function allowanceLines({ allowance }: Findings): readonly string[] {
  if (!allowance.usable) return [`its holder may do nothing: ${visible(allowance.reason)}`];
  return ['its holder', ...allowance.lines.map((line) => `      ${visible(line)}`)];
}

function verdictLines({ caveats }: Findings): readonly string[] {
  const fits = caveats.flatMap(({ fit }) => (fit === undefined ? [] : [fit.kind]));
  if (fits.length === 0) return [];
  const refused = fits.filter((kind) => kind === 'refused').length;
  const open = fits.filter((kind) => kind === 'open').length;
  if (refused > 0) return ['', `The request does not fit: ${countOf(refused)} not satisfied.`];
  return [
    '',
    open > 0
      ? `The request fits as far as it was described: ${countOf(open)} not judged.`
      : 'The request fits.',
  ];
}

function countOf(number: number): string {
  return number === 1 ? '1 caveat is' : `${number} caveats are`;
}

const spans = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1000, 'second'],
] as const;

/** How far away a time is, in its two largest units. */
function distance(ms: number): string {
  let left = Math.floor(Math.abs(ms) / 1000) * 1000;
  const parts = spans.flatMap(([scale, unit]) => {
    const amount = Math.floor(left / scale);
    left -= amount * scale;
    return amount === 0 ? [] : [`${amount} ${unit}${amount === 1 ? '' : 's'}`];
  });
  const span = parts.slice(0, 2).join(' ') || 'less than a second';
  return ms > 0 ? `That is ${span} from now.` : `That was ${span} ago: it has expired.`;
}

/** Control characters and direction overrides would let a macaroon's author write over the terminal. */
function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (character) => {
    const code = (character.codePointAt(0) ?? 0).toString(16);
    return `\\u{${code}}`;
  });
}

function rfc3339(ms: number): string {
  return new Date(ms).toISOString();
}
