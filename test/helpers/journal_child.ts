/**
 * Uses a journal as the relay does, until it is killed: `node journal_child.js <directory>`. Prints one line for each
 * thing that has become certain.
 */
import { writeSync } from 'node:fs';
import { openJournal } from '#relay/journal/journal.js';
import { begun, ended, pending } from './stored_jobs.js';

function print(line: string): void {
  writeSync(1, `${line}\n`);
}

process.umask(0);
const opened = await openJournal({ directory: process.argv[2] ?? '', segmentBytes: 256 * 1024 });
if (!opened.ok) {
  print(`refused ${opened.reason} ${opened.detail}`);
  process.exit(1);
}
const { journal, jobs } = opened;
print(`opened ${jobs.length}`);
for (const job of jobs) print(`found ${job.id} ${job.state} ${job.data.length}`);
print('ready');

async function client(): Promise<never> {
  for (;;) {
    const job = pending('x'.repeat(Math.floor(Math.random() * 2000)));
    await journal.put(job);
    print(`Pending ${job.id} ${job.data.length}`);
    if (Math.random() < 0.3) continue;
    const processing = begun(job);
    await journal.put(processing);
    print(`Processing ${job.id} ${job.data.length}`);
    if (Math.random() < 0.3) continue;
    await journal.put(ended(processing));
    print(`Finished ${job.id} 0`);
    if (Math.random() < 0.5) continue;
    print(`removing ${job.id}`);
    await journal.remove([job.id]);
    print(`removed ${job.id}`);
  }
}

if (process.argv[3] === 'busy') for (let number = 0; number < 8; number += 1) void client();
else process.stdin.resume();
