/** A record that is whole and still not what this version writes. */
export class RecordFault extends Error {
  /** Whether it has something that this version does not know: a newer one wrote it. */
  readonly newer: boolean;

  constructor(message: string, options: { readonly newer: boolean } = { newer: false }) {
    super(message);
    this.name = 'RecordFault';
    this.newer = options.newer;
  }
}

/** The members of a parsed JSON object, each taken once and checked; throws `RecordFault`. */
export class Members {
  readonly #members: Readonly<Record<string, unknown>>;
  readonly #path: string;
  #taken = 0;

  constructor(raw: unknown, path: string) {
    if (!isObject(raw)) throw new RecordFault(`${path} is not an object`);
    this.#members = raw;
    this.#path = path;
  }

  has(name: string): boolean {
    // No JSON is undefined.
    return this.#members[name] !== undefined;
  }

  text(name: string): string {
    const value = this.#take(name);
    if (typeof value !== 'string') throw this.#fault(name, 'is not a string');
    return value;
  }

  oneOf<Value extends string>(name: string, values: Readonly<Record<Value, true>>): Value {
    const value = this.text(name);
    if (!isKeyOf(values, value)) throw this.#fault(name, `is ${JSON.stringify(value)}`);
    return value;
  }

  /** A whole number, 0 or more. */
  count(name: string): number {
    const value = this.#take(name);
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
      throw this.#fault(name, 'is not a count');
    }
    return value;
  }

  countOrOneOf<Value extends string>(name: string, values: Readonly<Record<Value, true>>): number | Value {
    const isText = typeof this.#members[name] === 'string';
    return isText ? this.oneOf(name, values) : this.count(name);
  }

  /** Milliseconds: since the epoch, or between two moments. */
  time(name: string): number {
    const value = this.#take(name);
    if (typeof value !== 'number') throw this.#fault(name, 'is not a time');
    return value;
  }

  flag(name: string): boolean {
    const value = this.#take(name);
    if (typeof value !== 'boolean') throw this.#fault(name, 'is neither true nor false');
    return value;
  }

  object(name: string): Members {
    return new Members(this.#take(name), `${this.#path}.${name}`);
  }

  /** A list, each item of it made from members (an item that is a list itself has them under "0", "1", …). */
  list<Item>(name: string, item: (members: Members) => Item): readonly Item[] {
    const value = this.#take(name);
    if (!Array.isArray(value)) throw this.#fault(name, 'is not a list');
    if (value.length === 0) return none;
    return value.map((raw: unknown, index) => {
      const members = new Members(
        Array.isArray(raw) ? Object.assign({}, raw) : raw,
        `${this.#path}.${name}.${index}`,
      );
      const made = item(members);
      members.end();
      return made;
    });
  }

  /** All members that are left, which have to be strings. */
  texts(): Record<string, string> {
    return Object.fromEntries(Object.keys(this.#members).map((name) => [name, this.text(name)]));
  }

  /** Throws if a member was not taken. */
  end(): void {
    if (Object.keys(this.#members).length === this.#taken) return;
    throw new RecordFault(`${this.#path} has a member that is unknown to this version`, { newer: true });
  }

  #take(name: string): unknown {
    const value = this.#members[name];
    if (value === undefined) throw this.#fault(name, 'is missing');
    this.#taken += 1;
    return value;
  }

  #fault(name: string, reason: string): RecordFault {
    return new RecordFault(`${this.#path}.${name} ${reason}`);
  }
}

function isObject(raw: unknown): raw is Readonly<Record<string, unknown>> {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw);
}

/** Most jobs come back with lists that are empty. */
const none: readonly never[] = [];

function isKeyOf<Key extends string>(table: Readonly<Record<Key, true>>, text: string): text is Key {
  return Object.hasOwn(table, text);
}
