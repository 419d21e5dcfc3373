import type { Lookup, ResolvedAddress } from './guard.js';

/** What a lookup came to within the time given. */
export type LookupAnswer =
  | { readonly outcome: 'answered'; readonly addresses: readonly ResolvedAddress[] }
  | { readonly outcome: 'failed'; readonly error: unknown }
  | { readonly outcome: 'late' };

/** A name that is being looked up, or waits for it, and how many exports want to know. */
interface Question {
  readonly hostname: string;
  readonly askers: Set<(answer: LookupAnswer) => void>;
}

/**
 * The lookups under way. `getaddrinfo` cannot be cancelled and holds one of few threads, so exports to one name
 * share its lookup, no more than `maxConcurrent` are under way, and a name that nobody waits for any more leaves
 * the line. The time spent in that line counts as the resolver's.
 */
export class Lookups {
  readonly #lookup: Lookup;
  readonly #maxConcurrent: number;
  readonly #questions = new Map<string, Question>();
  readonly #line = new Set<Question>();
  #underWay = 0;

  constructor(lookup: Lookup, maxConcurrent: number) {
    this.#lookup = lookup;
    this.#maxConcurrent = maxConcurrent;
  }

  /** What the name resolves to. Never rejects. */
  ask(hostname: string, timeoutMs: number): Promise<LookupAnswer> {
    const question = this.#question(hostname);
    return new Promise((resolve) => {
      const settle = (answer: LookupAnswer): void => {
        clearTimeout(timer);
        question.askers.delete(settle);
        if (question.askers.size === 0 && this.#line.delete(question)) this.#questions.delete(hostname);
        resolve(answer);
      };
      // The immediate lets an answer that came while the event loop was busy go first.
      const timer = setTimeout(() => setImmediate(() => settle({ outcome: 'late' })), timeoutMs);
      // Whoever has given up meanwhile is not a reason for the process to stay.
      timer.unref();
      question.askers.add(settle);
    });
  }

  #question(hostname: string): Question {
    const asked = this.#questions.get(hostname);
    if (asked !== undefined) return asked;
    const question: Question = { hostname, askers: new Set() };
    this.#questions.set(hostname, question);
    this.#line.add(question);
    this.#startNext();
    return question;
  }

  #startNext(): void {
    const [next] = this.#line;
    if (next === undefined || this.#underWay >= this.#maxConcurrent) return;
    this.#line.delete(next);
    this.#underWay += 1;
    void this.#answer(next);
  }

  async #answer(question: Question): Promise<void> {
    const answer = await this.#lookUp(question.hostname);
    this.#underWay -= 1;
    this.#questions.delete(question.hostname);
    for (const settle of question.askers) settle(answer);
    this.#startNext();
  }

  async #lookUp(hostname: string): Promise<LookupAnswer> {
    try {
      return { outcome: 'answered', addresses: await this.#lookup(hostname) };
    } catch (error) {
      return { outcome: 'failed', error };
    }
  }
}
