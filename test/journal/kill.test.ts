import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { JournalProcess } from '../helpers/journal_process.js';

const kills = Number(process.env['JOURNAL_KILLS'] ?? 20);
const ranks = ['Pending', 'Processing', 'Finished', 'removed'];

test(`${kills} kills at any moment lose nothing that was acknowledged`, async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'journal-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  /** What was acknowledged: state and size of the data. */
  const known = new Map<string, { readonly state: string; readonly bytes: string }>();
  let acknowledged = 0;
  for (let kill = 0; kill <= kills; kill += 1) {
    const child = new JournalProcess(t, directory, kill < kills ? 'busy' : 'idle');
    await child.printed('ready');
    if (kill < kills) await delay(5 + Math.random() * 80);
    await child.kill();
    const found = new Map<string, { readonly state: string; readonly bytes: string }>();
    for (const line of child.lines) {
      const [what = '', id = '', state = '', bytes = ''] = line.split(' ');
      if (what === 'found') found.set(id, { state, bytes });
    }
    for (const [id, { state, bytes }] of known) {
      const now = found.get(id);
      if (now === undefined) throw new Error(`${id}, ${state}, is lost`);
      // It may have gone on before it was killed, never back.
      if (ranks.indexOf(now.state) < ranks.indexOf(state)) throw new Error(`${id} went back to ${now.state}`);
      if (now.state === state && now.bytes !== bytes) throw new Error(`${id} has other data`);
    }
    known.clear();
    for (const [id, job] of found) known.set(id, job);
    for (const line of child.lines) {
      const [what = '', id = '', bytes = ''] = line.split(' ');
      if (!ranks.includes(what) && what !== 'removing') continue;
      acknowledged += 1;
      if (what === 'removing' || what === 'removed') known.delete(id);
      else known.set(id, { state: what, bytes });
    }
  }
  t.true(acknowledged > kills * 10, `only ${acknowledged} acknowledgements`);
});
