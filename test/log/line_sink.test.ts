import test from 'ava';
import { FakeClock } from '../helpers/fake_clock.js';
import { LineSink } from '#relay/log/line_sink.js';

/** A reader that takes each write only when it is told to. */
function slowReader(maxHeld: number): {
  sink: LineSink;
  written: string[];
  take: () => void;
  collect: () => Promise<void>;
} {
  const written: string[] = [];
  const clock = new FakeClock();
  let taken: (() => void) | undefined;
  const sink = new LineSink({
    maxHeld,
    after: (delayMs, callback) => clock.after(delayMs, callback),
    lossLine: (lines) => `lost ${lines}\n`,
    write: (text, done) => {
      written.push(text);
      taken = done;
    },
  });
  return {
    sink,
    written,
    collect: () => clock.advance(20),
    take: () => {
      const done = taken;
      taken = undefined;
      done?.();
    },
  };
}

test('the lines of a few milliseconds are one write, in order', async (t) => {
  const { sink, written, collect } = slowReader(100);
  sink.write('a\n');
  sink.write('b\n');
  t.deepEqual(written, []);
  await collect();
  t.deepEqual(written, ['a\nb\n']);
});

test('while one write is on its way no other begins, and then all that came meanwhile is the next', async (t) => {
  const { sink, written, take, collect } = slowReader(100);
  sink.write('a\n');
  await collect();
  sink.write('b\n');
  await collect();
  sink.write('c\n');
  await collect();
  t.deepEqual(written, ['a\n']);
  take();
  t.deepEqual(written, ['a\n', 'b\nc\n']);
  take();
  sink.write('d\n');
  await collect();
  t.deepEqual(written.slice(2), ['d\n']);
});

test('what a reader that stopped reading leaves no room for is lost, and the loss told when it reads again', async (t) => {
  const { sink, written, take, collect } = slowReader(6);
  for (const line of ['a\n', 'b\n']) sink.write(line);
  await collect();
  for (const line of ['c\n', 'd\n', 'e\n']) sink.write(line);
  take();
  t.deepEqual(written, ['a\nb\n', 'c\nlost 2\n']);
  take();
  sink.write('f\n');
  await collect();
  take();
  t.deepEqual(written.slice(2), ['f\n']);
});

test('flushing writes at once and nothing twice', async (t) => {
  const { sink, written, take, collect } = slowReader(100);
  sink.flush();
  sink.write('a\n');
  sink.flush();
  t.deepEqual(written, ['a\n']);
  await collect();
  take();
  t.deepEqual(written, ['a\n']);
});
