import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test from 'ava';
import fc from 'fast-check';
import { ByteList } from '#relay/byte_list.js';

test('what was added in pieces is there in one', (t) => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 9000 }), { maxLength: 12 });
  fc.assert(
    fc.property(pieces, (arrays) => {
      const list = new ByteList();
      const kept = arrays.map((array) => Buffer.from(array));
      const copies = kept.map((piece) => Buffer.from(piece));
      for (const piece of kept) list.add(piece);
      t.true(list.bytes.equals(Buffer.concat(copies)));
      t.is(list.size, list.bytes.length);
      t.true(list.heldBytes <= Math.max(2 * list.size, 16 * 1024));
      // A piece belongs to whoever brought it.
      t.deepEqual(kept, copies);
    }),
    { numRuns: 50 },
  );
});

test('pieces of one byte take little more memory than their bytes', (t) => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const list = new ByteList();
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  const source = Buffer.alloc(100_000, 'x');
  for (let at = 0; at < source.length; at += 1) list.add(source.subarray(at, at + 1));
  collectGarbage();
  const grown = process.memoryUsage().heapUsed - before;
  t.is(list.size, 100_000);
  t.true(list.heldBytes <= 200_000);
  t.true(grown < 2_000_000, `${grown} bytes`);
});
