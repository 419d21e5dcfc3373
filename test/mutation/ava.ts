/**
 * Stands in for ava while mutants are tried: the part of its interface that the tests use, without the report, which
 * nobody reads here, and the second that ava takes to start.
 */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';

type Implementation = (t: Assertions) => unknown;
type Expected = {
  readonly instanceOf?: new (...args: never[]) => unknown;
  readonly message?: unknown;
  readonly name?: string;
  readonly code?: string;
};

interface Test {
  readonly title: string;
  readonly run: Implementation;
}

interface Suite {
  readonly before: Test[];
  readonly serial: Test[];
  readonly concurrent: Test[];
  readonly after: Test[];
}

const noTests = (): Suite => ({ before: [], serial: [], concurrent: [], after: [] });
let suite = noTests();

class Assertions {
  readonly title: string;
  readonly #teardowns: (() => unknown)[] = [];
  #count = 0;

  constructor(title: string) {
    this.title = title;
  }

  readonly is = (actual: unknown, expected: unknown): void => this.#expect(Object.is(actual, expected));
  readonly not = (actual: unknown, expected: unknown): void => this.#expect(!Object.is(actual, expected));
  readonly true = (actual: unknown): void => this.#expect(actual === true);
  readonly false = (actual: unknown): void => this.#expect(actual === false);
  readonly truthy = (actual: unknown): void => this.#expect(Boolean(actual));
  readonly falsy = (actual: unknown): void => this.#expect(!actual);
  readonly pass = (): void => this.#expect(true);
  readonly fail = (): void => this.#expect(false);
  readonly log = (): void => undefined;
  readonly timeout = (): void => undefined;
  readonly regex = (text: string, pattern: RegExp): void => this.#expect(new RegExp(pattern).test(text));
  readonly notRegex = (text: string, pattern: RegExp): void => this.#expect(!new RegExp(pattern).test(text));
  readonly like = (actual: unknown, selector: unknown): void => this.#expect(isLike(actual, selector));
  readonly deepEqual = (actual: unknown, expected: unknown): void =>
    this.#expect(isDeepStrictEqual(actual, expected));
  readonly notDeepEqual = (actual: unknown, expected: unknown): void =>
    this.#expect(!isDeepStrictEqual(actual, expected));

  readonly throws = (call: () => unknown, expected?: Expected): unknown => {
    try {
      call();
    } catch (error) {
      return this.#thrown(error, expected);
    }
    this.#expect(false);
    return undefined;
  };

  readonly notThrows = (call: () => unknown): void => {
    call();
    this.#expect(true);
  };

  readonly throwsAsync = async (
    call: Promise<unknown> | (() => Promise<unknown>),
    expected?: Expected,
  ): Promise<unknown> => {
    try {
      await (typeof call === 'function' ? call() : call);
    } catch (error) {
      return this.#thrown(error, expected);
    }
    this.#expect(false);
    return undefined;
  };

  readonly notThrowsAsync = async (call: Promise<unknown> | (() => Promise<unknown>)): Promise<void> => {
    await (typeof call === 'function' ? call() : call);
    this.#expect(true);
  };

  readonly teardown = (release: () => unknown): void => {
    this.#teardowns.push(release);
  };

  async end(): Promise<void> {
    for (const release of this.#teardowns.reverse()) await release();
  }

  get count(): number {
    return this.#count;
  }

  #expect(holds: boolean): void {
    this.#count += 1;
    assert.ok(holds);
  }

  #thrown(error: unknown, { instanceOf, message, name, code }: Expected = {}): unknown {
    assert.ok(error instanceof Error);
    this.#expect(instanceOf === undefined || error instanceof instanceOf);
    this.#expect(name === undefined || error.name === name);
    this.#expect(code === undefined || ('code' in error && error.code === code));
    this.#expect(message === undefined || fits(message, error.message));
    return error;
  }
}

function fits(expected: unknown, text: string): boolean {
  return expected instanceof RegExp ? expected.test(text) : expected === text;
}

function isLike(actual: unknown, selector: unknown): boolean {
  if (!isPlain(selector)) return isDeepStrictEqual(actual, selector);
  if (typeof actual !== 'object' || actual === null) return false;
  if (Array.isArray(selector) && (!Array.isArray(actual) || actual.length !== selector.length)) return false;
  const members = new Map(Object.entries(actual));
  const read = (name: string): unknown => (members.has(name) ? members.get(name) : Reflect.get(actual, name));
  return Object.entries(selector).every(([name, value]) => isLike(read(name), value));
}

function isPlain(value: unknown): value is object {
  return Array.isArray(value) || Object.prototype.toString.call(value) === '[object Object]';
}

const register =
  (kind: keyof Suite) =>
  (...args: readonly [string, Implementation] | readonly [Implementation]): void => {
    const [title, run] = args.length === 2 ? args : (['a hook', args[0]] as const);
    suite[kind].push({ title, run });
  };
const skip = (): void => undefined;
const after = Object.assign(register('after'), { always: register('after') });
const serial = Object.assign(register('serial'), { skip, before: register('before'), after });

export default Object.assign(register('concurrent'), { serial, skip, before: register('before'), after });

async function play({ title, run }: Test, isHook: boolean): Promise<void> {
  const t = new Assertions(title);
  try {
    await run(t);
    assert.ok(isHook || t.count > 0, 'a test without an assertion');
  } catch (error) {
    throw new Error(title, { cause: error });
  }
  await t.end();
}

/** Runs what the file that was imported last has declared, as ava does. Rejects with the first red test. */
export async function playDeclared(): Promise<void> {
  const { before, serial: inTurn, concurrent, after: last } = suite;
  suite = noTests();
  for (const test of before) await play(test, true);
  for (const test of inTurn) await play(test, false);
  await Promise.all(concurrent.map((test) => play(test, false)));
  for (const test of last) await play(test, true);
}
