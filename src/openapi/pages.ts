import type { Page } from '../http/reply.js';
import { problemKinds } from '../http/problem.js';
import { openApiDocument, type PublicLimits } from './document.js';
import { problemHelp } from './help.js';
import { problemCodes } from './schemas.js';

/** What anybody may read without a macaroon, by its path: made once, served as it is. */
export function publicPages(limits: PublicLimits): ReadonlyMap<string, Page> {
  const document: Page = {
    contentType: 'application/json; charset=utf-8',
    body: `${JSON.stringify(openApiDocument(limits), null, 2)}\n`,
  };
  // RFC 9457, 3.1.1: whoever follows a problem's type should find words for people.
  const problems = problemCodes.map((code): [string, Page] => {
    const { status, title } = problemKinds[code];
    const { means, todo } = problemHelp[code];
    const body = `${title} (${status}, ${code})\n\n${means}\n\nWhat to do: ${todo}\n`;
    return [`/problems/${code}`, { contentType: 'text/plain; charset=utf-8', body }];
  });
  return new Map([['/openapi.json', document], ...problems]);
}
