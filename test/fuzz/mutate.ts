/** What mutations draw from. */
export interface Material {
  readonly corpus: readonly Buffer[];
  readonly dictionary: readonly (string | Buffer)[];
  readonly maxBytes: number;
}

type Random = () => number;
type Mutation = (bytes: Buffer, random: Random, material: Material) => Buffer;

/** Numbers at which sizes and counts go wrong. */
const edges = [0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff];
const pairs = [
  ['[', ']'],
  ['{"a":', '}'],
  ['"', '"'],
  ['\\', ''],
  ['%25', ''],
] as const;

function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

function oneOf<Item>(items: readonly Item[], random: Random): Item {
  const item = items[below(random, items.length)];
  if (item === undefined) throw new Error('there is nothing to choose from');
  return item;
}

/** Mostly small, now and then up to the limit. */
function skewed(random: Random, limit: number): number {
  return Math.floor(limit ** random());
}

function replaced(bytes: Buffer, start: number, end: number, by: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, start), by, bytes.subarray(end)]);
}

function part(bytes: Buffer, random: Random): readonly [start: number, end: number] {
  const start = below(random, bytes.length + 1);
  return [start, Math.min(bytes.length, start + skewed(random, bytes.length + 1))];
}

const flipBit: Mutation = (bytes, random) => {
  const flipped = Buffer.from(bytes);
  const at = below(random, bytes.length);
  if (bytes.length > 0) flipped[at] = (flipped[at] ?? 0) ^ (1 << below(random, 8));
  return flipped;
};

const setByte: Mutation = (bytes, random) => {
  const at = below(random, bytes.length);
  return replaced(bytes, at, at + 1, Buffer.from([below(random, 256)]));
};

const insertBytes: Mutation = (bytes, random) => {
  const some = Buffer.from(Array.from({ length: skewed(random, 32) }, () => below(random, 256)));
  const at = below(random, bytes.length + 1);
  return replaced(bytes, at, at, some);
};

const removePart: Mutation = (bytes, random) => {
  const [start, end] = part(bytes, random);
  return replaced(bytes, start, end, Buffer.alloc(0));
};

const zeroPart: Mutation = (bytes, random) => {
  const [start, end] = part(bytes, random);
  return replaced(bytes, start, end, Buffer.alloc(end - start));
};

const truncate: Mutation = (bytes, random) => bytes.subarray(0, below(random, bytes.length + 1));

/** The beginning of this and the end of another. */
const splice: Mutation = (bytes, random, { corpus }) => {
  const other = oneOf(corpus, random);
  return Buffer.concat([
    bytes.subarray(0, below(random, bytes.length + 1)),
    other.subarray(below(random, other.length + 1)),
  ]);
};

/** A part of another over a part of this. */
const graft: Mutation = (bytes, random, { corpus }) => {
  const other = oneOf(corpus, random);
  return replaced(bytes, ...part(bytes, random), other.subarray(...part(other, random)));
};

const insertWord: Mutation = (bytes, random, { dictionary }) => {
  const at = below(random, bytes.length + 1);
  const end = random() < 0.5 ? at : Math.min(bytes.length, at + skewed(random, 16));
  const word = oneOf(dictionary, random);
  return replaced(bytes, at, end, typeof word === 'string' ? Buffer.from(word) : word);
};

/** A binary number, of any of the usual widths, says something else. */
const lieInBinary: Mutation = (bytes, random) => {
  const width = oneOf([1, 2, 4], random);
  const at = below(random, bytes.length);
  if (at + width > bytes.length) return bytes;
  const lying = Buffer.from(bytes);
  const value = oneOf(edges, random) % 256 ** width;
  if (random() < 0.5) lying.writeUIntLE(value, at, width);
  else lying.writeUIntBE(value, at, width);
  return lying;
};

/** A number in digits says something else. */
const lieInDigits: Mutation = (bytes, random) => {
  // Not by one pattern that asks for a digit: on a long run of letters it takes quadratic time.
  const runs = [...bytes.toString('latin1').matchAll(/[0-9a-f]+/g)];
  const numbers = runs.filter(([digits]) => /[0-9]/.test(digits));
  if (numbers.length === 0) return bytes;
  const { 0: digits, index } = oneOf(numbers, random);
  const value = random() < 0.5 ? oneOf(edges, random) : Number.parseInt(digits, 16) + below(random, 5) - 2;
  const width = random() < 0.7 ? digits.length : 0;
  const text = Math.abs(value).toString(random() < 0.5 ? 10 : 16);
  return replaced(bytes, index, index + digits.length, Buffer.from(text.padStart(width, '0')));
};

const nest: Mutation = (bytes, random, { maxBytes }) => {
  const [open, close] = oneOf(pairs, random);
  const depth = skewed(random, maxBytes / (open.length + close.length));
  const [start, end] = part(bytes, random);
  const within = random() < 0.2 ? Buffer.alloc(0) : bytes.subarray(start, end);
  const closed = random() < 0.8 ? close.repeat(depth) : '';
  return replaced(
    bytes,
    start,
    end,
    Buffer.concat([Buffer.from(open.repeat(depth)), within, Buffer.from(closed)]),
  );
};

const repeat: Mutation = (bytes, random, { maxBytes }) => {
  const [start, end] = part(bytes, random);
  if (start === end) return bytes;
  const times = skewed(random, maxBytes / (end - start));
  const again = Buffer.alloc(times * (end - start), bytes.subarray(start, end));
  return replaced(bytes, start, end, again);
};

const mutations: readonly Mutation[] = [
  flipBit,
  flipBit,
  setByte,
  insertBytes,
  removePart,
  removePart,
  zeroPart,
  truncate,
  splice,
  graft,
  insertWord,
  insertWord,
  insertWord,
  lieInBinary,
  lieInDigits,
  lieInDigits,
  nest,
  repeat,
];

/** An entry of the corpus after one mutation, or, ever more rarely, after several. */
export function mutate(random: Random, material: Material): Buffer {
  let bytes = oneOf(material.corpus, random);
  do bytes = oneOf(mutations, random)(bytes, random, material).subarray(0, material.maxBytes);
  while (random() < 0.5);
  return bytes;
}
