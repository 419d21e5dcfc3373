import {
  checkDestination,
  checkJob,
  checkRequest,
  expiresAtMs,
  type Verdict,
} from '#relay/macaroon/caveats.js';
import { attenuateMacaroon, mintMacaroon } from '#relay/macaroon/mint.js';
import {
  type Caveat,
  decodeMacaroon,
  encodeMacaroon,
  type Macaroon,
  maxCaveats,
  maxTokenLength,
} from '#relay/macaroon/token.js';
import { MacaroonVerifier } from '#relay/macaroon/verify.js';
import { destination, poll, request, submission } from '../helpers/macaroon_facts.js';
import { readHostile, readMalformed, readVectors } from '../helpers/macaroon_vectors.js';
import { corpusLines, must, type Target } from './target.js';

const secret = 'a secret for tests only';

function minted(...caveats: readonly string[]): string {
  const result = mintMacaroon({ secret, identifier: 'an app', location: 'https://box.example', caveats });
  if (!result.ok) throw new Error(result.reason);
  return result.token;
}

function tokens(): readonly string[] {
  return [
    ...readVectors().flatMap((vector) => vector.tokens),
    ...readHostile().map(({ token }) => token),
    ...readMalformed().map(({ token }) => token),
    minted(),
    minted(...corpusLines('token/caveats.txt')),
  ];
}

/** Everything of a macaroon that is signed; the locations are not. */
function signedPart({ identifier, caveats, signature }: Macaroon): string {
  const parts = caveats.map((caveat: Caveat) => [
    Buffer.from(caveat.cid).toString('hex'),
    caveat.kind === 'third-party' ? Buffer.from(caveat.vid).toString('hex') : '',
  ]);
  return JSON.stringify([identifier, parts, Buffer.from(signature).toString('hex')]);
}

function genuineParts(verifier: MacaroonVerifier): ReadonlySet<string> {
  const parts = new Set<string>();
  // Some are spelled wrongly, and genuine once their packets are spelled anew.
  const spelledAnew = tokens().map((text) => Buffer.from(text, 'base64url').toString('base64url'));
  for (const token of spelledAnew) {
    const decoded = decodeMacaroon(token);
    if (decoded.ok && verifier.verify(token) !== undefined) parts.add(signedPart(decoded.macaroon));
  }
  return parts;
}

/** A token has one spelling and is within bounds; one that nobody signed does not verify. */
function judgeToken(text: string, verifier: MacaroonVerifier, genuine: ReadonlySet<string>): void {
  const decoded = decodeMacaroon(text);
  const verified = verifier.verify(text);
  if (!decoded.ok) {
    must(verified === undefined, 'a text that is no macaroon was verified');
    return;
  }
  const { macaroon } = decoded;
  must(text.length <= maxTokenLength && macaroon.caveats.length <= maxCaveats, 'a token beyond the bounds');
  must(encodeMacaroon(macaroon) === text.replace(/=+$/, ''), 'a token has two spellings');
  must((verified !== undefined) === genuine.has(signedPart(macaroon)), 'the signature was misjudged');
}

const target = destination('https://receiver.example/in?x=1');

/** A caveat that anybody can add is judged, and one that is not understood is not satisfied. */
function judgeCaveat(text: string, verifier: MacaroonVerifier): void {
  const attenuated = attenuateMacaroon(minted(), [text]);
  if (!attenuated.ok) return;
  const verified = verifier.verify(attenuated.token);
  must(verified !== undefined, 'a token with one caveat more was not verified');
  const verdicts: readonly Verdict[] = [
    checkRequest(verified, request),
    checkJob(verified, submission),
    checkJob(verified, poll),
    checkDestination(verified, target),
  ];
  for (const verdict of verdicts)
    must(verdict.satisfied || verdict.reason !== '', 'a refusal without a reason');
  const [caveat] = verified.caveats;
  const understood = caveat !== undefined && caveat.kind !== 'unknown' && caveat.kind !== 'third-party';
  must(understood || verdicts[0]?.satisfied === false, 'a caveat that is not understood was satisfied');
  const expiry = expiresAtMs(verified);
  must(expiry === undefined || Number.isFinite(expiry), 'an expiry that is no time');
  const about = /^(target|path|method|destination|action) = (.*)$/s.exec(text);
  if (about === null) return;
  const known = { target: request.target, method: request.method.toLowerCase() };
  const [, key, value = ''] = about;
  if (key === 'target')
    must(verdicts[0]?.satisfied === (value === known.target), 'another target was satisfied');
  if (key === 'method')
    must(verdicts[0]?.satisfied === (value.toLowerCase() === known.method), 'another method was satisfied');
}

/** The decoder and verifier of macaroons, given text or packets, and what reads their caveats. */
export const token: Target = {
  name: 'token',
  maxBytes: 2 * maxTokenLength,
  dictionary: [
    ...[
      '0000',
      '0005',
      '0006',
      '002f',
      '003d',
      'ffff',
      '00-1',
      '+01a',
      ' ',
      '\n',
      '=',
      '==',
      '-',
      '_',
      '+',
      '/',
    ],
    ...['001clocation ', '0026identifier ', 'cid ', 'vid ', 'cl ', 'signature ', '0018cid path = /export\n'],
    ...['target = ', 'path = ', 'method = ', 'destination = ', 'time < ', 'job = ', 'action = ', 'bytes <= '],
    ...[
      'sha256 = ',
      'POST',
      'post',
      'export-service',
      '/lp/*',
      '*',
      '|',
      'submit',
      'poll',
      'cancel',
      'T',
      'Z',
    ],
    ...['+00:00', '.999999999', '24:00:00', '9e9', '-0', '%2f', '\0', '\u212a', '\ufeff'],
  ],
  corpus: () => [
    ...tokens().flatMap((text) => [Buffer.from(text), Buffer.from(text, 'base64url')]),
    ...corpusLines('token/caveats.txt').map((line) => Buffer.from(line)),
    ...corpusLines('token/packets.txt').map((line) => Buffer.from(line.replaceAll('\\n', '\n'))),
  ],
  open: () => {
    const secrets = [
      secret,
      ...readVectors().flatMap((vector) => (vector.secretIsRaw ? [] : [vector.secret])),
      ...readHostile().map((row) => row.secret),
    ].filter((text) => text !== '');
    const verifier = new MacaroonVerifier({ secrets: [...new Set(secrets)], cacheEntries: 100 });
    const genuine = genuineParts(verifier);
    return (input) => {
      judgeToken(input.toString('latin1'), verifier, genuine);
      judgeToken(input.toString('base64url'), verifier, genuine);
      judgeCaveat(input.toString(), verifier);
    };
  },
};
