/**
 * Records exports as the relay does, until it is killed: `node audit_child.js <file>`. Prints one line for each thing
 * that has become certain.
 */
import { writeSync } from 'node:fs';
import { openAudit } from '#relay/audit/audit.js';
import { arrived, departing } from './audit.js';

function print(line: string): void {
  writeSync(1, `${line}\n`);
}

const opened = await openAudit({ path: process.argv[2] ?? '', maxFileBytes: 64 * 1024 });
if (!opened.ok) {
  print(`refused ${opened.detail}`);
  process.exit(1);
}
const { audit } = opened;
print('ready');

async function client(): Promise<never> {
  for (;;) {
    const job = departing({ purpose: 'x'.repeat(Math.floor(Math.random() * 200)) });
    await audit.leaving(job);
    print(`leaving ${job.id}`);
    if (Math.random() < 0.2) continue;
    await audit.ended(arrived(job));
    print(`export ${job.id}`);
  }
}

for (let number = 0; number < 8; number += 1) void client();
