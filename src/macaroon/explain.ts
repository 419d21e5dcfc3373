import type { Predicate } from './predicate.js';

/** What a caveat says to a person: one sentence, with the reason where no request can satisfy it. */
export function explain(caveat: Predicate): string {
  switch (caveat.kind) {
    case 'target':
      return `Only at the relay whose name is ${caveat.name}.`;
    case 'path':
      return caveat.prefix === undefined
        ? `Only requests to the path ${caveat.path}.`
        : `Only requests to paths that begin with ${caveat.prefix === '' ? 'anything, which is all of them' : caveat.prefix}.`;
    case 'method':
      return `Only requests with the method ${caveat.method}.`;
    case 'destination':
      return explainDestination(caveat.pattern);
    case 'time':
      return `Only before ${new Date(caveat.expiresAtMs).toISOString()}.`;
    case 'job':
      return `Only requests about the job ${caveat.jobId}: new jobs are not among them.`;
    case 'action':
      return `Only to ${listed(
        caveat.actions.map((action) => doing[action]),
        'or',
      )}.`;
    case 'bytes':
      return `New jobs only with data of at most ${caveat.maxBytes} bytes.`;
    case 'sha256':
      return `New jobs only with the data whose SHA-256 is ${caveat.digestHex}.`;
    case 'unknown':
      return `No request satisfies it: ${caveat.reason}.`;
    case 'third-party':
      return 'No request satisfies it: the relay takes no discharge macaroons.';
  }
}

function explainDestination(pattern: string): string {
  return pattern.endsWith('/*') && !pattern.includes('?')
    ? `Only exports to what lies below ${pattern.slice(0, -1)} on that server.`
    : `Only exports to exactly ${pattern}.`;
}

const doing = {
  submit: 'submit new jobs',
  poll: 'ask about known ones',
  cancel: 'cancel them',
} as const;

/** `a, b and c`. */
export function listed(words: readonly string[], last: 'and' | 'and also' | 'or'): string {
  const [only = '', ...more] = words;
  return more.length === 0 ? only : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1) ?? ''}`;
}
