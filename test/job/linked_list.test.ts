import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { LinkedList, type Node } from '#relay/job/linked_list.js';

const operation = fc.oneof(
  fc.record({ kind: fc.constant('push' as const), value: fc.nat() }),
  fc.record({ kind: fc.constant('unshift' as const), value: fc.nat() }),
  fc.record({ kind: fc.constant('shift' as const) }),
  fc.record({ kind: fc.constant('remove' as const), index: fc.nat(20) }),
);

test('behaves like an array under any sequence of operations', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const list = new LinkedList<number>();
        let model: Node<number>[] = [];
        for (const step of operations) {
          if (step.kind === 'push') model.push(list.push(step.value));
          else if (step.kind === 'unshift') model.unshift(list.unshift(step.value));
          else if (step.kind === 'shift') {
            assert.equal(list.shift(), model[0]?.value);
            model = model.slice(1);
          } else {
            const node = model[step.index];
            if (node === undefined) continue;
            list.remove(node);
            list.remove(node);
            model = model.filter((other) => other !== node);
          }
          assert.equal(list.size, model.length);
          assert.equal(list.first, model[0]);
        }
        assert.deepEqual(
          model.map(() => list.shift()),
          model.map(({ value }) => value),
        );
      }),
    ),
  );
});

test('a node of another list is left alone', (t) => {
  const one = new LinkedList<string>();
  const other = new LinkedList<string>();
  const node = one.push('a');
  other.push('b');
  other.remove(node);
  t.is(one.size, 1);
  t.is(other.size, 1);
});

test('a node that has left holds on to no other, so that one who keeps it keeps nothing else', (t) => {
  const list = new LinkedList<string>();
  const [, node] = ['a', 'b', 'c'].map((value) => list.push(value));
  if (node === undefined) throw new Error('there is no node');
  list.remove(node);
  t.like(node, { value: 'b', previous: undefined, next: undefined, list: undefined });
});
