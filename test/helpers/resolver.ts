import { isIP } from 'node:net';
import { type Lookup } from '#relay/delivery/guard.js';

/** What a stub resolver says to one lookup: addresses, an error code, or nothing ever. */
export type Answer = readonly string[] | { readonly code: string } | 'never answers';

export interface StubResolver {
  readonly lookup: Lookup;
  /** The names asked for, in order. */
  readonly asked: readonly string[];
}

/** A resolver that gives each answer once and the last one for good, to any name. */
export function stubResolver(...answers: readonly Answer[]): StubResolver {
  const asked: string[] = [];
  const lookup: Lookup = (hostname) => {
    asked.push(hostname);
    return reply(hostname, answers[Math.min(asked.length, answers.length) - 1] ?? []);
  };
  return { asked, lookup };
}

function reply(hostname: string, answer: Answer): ReturnType<Lookup> {
  if (answer === 'never answers') return new Promise(() => undefined);
  if ('code' in answer) {
    const { code } = answer;
    return Promise.reject(Object.assign(new Error(`getaddrinfo ${code} ${hostname}`), { code, hostname }));
  }
  return Promise.resolve(answer.map((address) => ({ address, family: isIP(address) })));
}
