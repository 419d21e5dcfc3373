import test from 'ava';
import { campaign } from './campaign.js';
import type { Target } from './target.js';
import { targets } from './targets.js';

/** Besides the corpus. Those that open connections or sign take longer for each. */
const inputs: Readonly<Record<string, number>> = {
  token: 2000,
  body: 250,
  destination: 2000,
  response: 60,
  frames: 200,
  journal: 300,
  audit: 60,
};

for (const target of targets) {
  // One after another: how long an input takes is measured.
  test.serial(`whatever ${target.name} is given, what has to hold holds`, async (t) => {
    const count = target.corpus().length + (inputs[target.name] ?? 0);
    const report = await campaign(target, { seed: 1, more: (played) => played < count });
    t.is(report.breakage?.what, undefined, report.breakage?.input.toString('latin1').slice(0, 500));
    t.is(report.inputs, count);
  });
}

function planted(run: Target['open'], corpus: readonly string[] = ['a corpus of one line']): Target {
  return {
    name: 'planted',
    maxBytes: 1000,
    dictionary: ['BUG'],
    corpus: () => corpus.map((text) => Buffer.from(text)),
    open: run,
  };
}

const hasBug = planted(() => (input) => {
  if (input.includes('BUG')) throw new Error('it is there');
});

test.serial(
  'a bug is found by a word of the dictionary and shortened to that word, and again with the same seed',
  async (t) => {
    const first = await campaign(hasBug, { seed: 7, more: (played) => played < 1000 });
    t.is(first.breakage?.input.toString(), 'BUG');
    t.is(first.breakage?.what, 'Error: it is there');
    const second = await campaign(hasBug, { seed: 7, more: (played) => played < 1000 });
    t.is(second.breakage?.index, first.breakage?.index);
    const other = await campaign(hasBug, { seed: 1234, more: (played) => played < 1000 });
    t.not(other.breakage?.index, first.breakage?.index);
  },
);

test.serial('what takes more than a second is broken', async (t) => {
  const hangs = planted(() => () => new Promise(() => undefined), ['']);
  const report = await campaign(hangs, { seed: 1, more: (played) => played < 1 });
  t.regex(report.breakage?.what ?? '', /took more than 1000 ms/);
});

test.serial('what a target opened is released, whether or not something broke', async (t) => {
  const released: string[] = [];
  const opens = planted((cleanup) => {
    cleanup.teardown(() => released.push('first'));
    cleanup.teardown(() => released.push('second'));
    return () => {
      throw new Error('broken');
    };
  });
  await campaign(opens, { seed: 1, more: (played) => played < 3 });
  t.deepEqual(released, ['second', 'first']);
});
