import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import { LineSink } from '#relay/log/line_sink.js';

/** A reader that takes each write only when it is told to. */
function slowReader(maxHeld: number): { sink: LineSink; written: string[]; take: () => void } {
  const written: string[] = [];
  let taken: (() => void) | undefined;
  const sink = new LineSink({
    maxHeld,
    lossLine: (lines) => `lost ${lines}\n`,
    write: (text, done) => {
      written.push(text);
      taken = done;
    },
  });
  return {
    sink,
    written,
    take: () => {
      const done = taken;
      taken = undefined;
      done?.();
    },
  };
}

test('the lines of one turn are one write, in order', async (t) => {
  const { sink, written } = slowReader(100);
  sink.write('a\n');
  sink.write('b\n');
  t.deepEqual(written, []);
  await turn();
  t.deepEqual(written, ['a\nb\n']);
});

test('while one write is on its way no other begins, and then all that came meanwhile is the next', async (t) => {
  const { sink, written, take } = slowReader(100);
  sink.write('a\n');
  await turn();
  sink.write('b\n');
  await turn();
  sink.write('c\n');
  await turn();
  t.deepEqual(written, ['a\n']);
  take();
  t.deepEqual(written, ['a\n', 'b\nc\n']);
  take();
  sink.write('d\n');
  await turn();
  t.deepEqual(written.slice(2), ['d\n']);
});

test('what a reader that stopped reading leaves no room for is lost, and the loss told when it reads again', async (t) => {
  const { sink, written, take } = slowReader(6);
  for (const line of ['a\n', 'b\n']) sink.write(line);
  await turn();
  for (const line of ['c\n', 'd\n', 'e\n']) sink.write(line);
  take();
  t.deepEqual(written, ['a\nb\n', 'c\nlost 2\n']);
  take();
  sink.write('f\n');
  await turn();
  take();
  t.deepEqual(written.slice(2), ['f\n']);
});

test('flushing writes at once and nothing twice', async (t) => {
  const { sink, written, take } = slowReader(100);
  sink.flush();
  sink.write('a\n');
  sink.flush();
  t.deepEqual(written, ['a\n']);
  await turn();
  take();
  t.deepEqual(written, ['a\n']);
});
