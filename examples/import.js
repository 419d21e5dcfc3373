// An import in two steps: a dry run, which shows what would happen, then the import itself, which it is harmless to
// repeat: node examples/import.js
import { readFile } from 'node:fs/promises';
import { ExportClient, RelayProblemError } from 'export-relay/client';
import { startBox, startService } from './support/box.js';

let imports = 0;
const service = await startService(() => {
  imports += 1;
  return { status: 201 };
});
const box = await startBox();
const client = new ExportClient(box);
const journal = await readFile(new URL('data/journal.json', import.meta.url), 'utf8');
const destination = `${service.url}/import`;
try {
  try {
    await client.dryRun('http://169.254.169.254/import', journal);
  } catch (error) {
    if (!(error instanceof RelayProblemError)) throw error;
    console.log(`dry run: ${error.code} (${error.rule})`);
  }
  const { addresses } = await client.dryRun(destination, journal);
  console.log(`dry run: it would go to ${addresses.join(', ')}; imports so far: ${imports}`);

  // Named after what is imported: whoever repeats it, this program after a crash included, imports nothing twice.
  const options = { idempotencyKey: 'journal-2030-01', purpose: 'import of the journal' };
  const first = await client.submit(destination, journal, options);
  const answer = await client.wait(first.id);
  console.log(`imported: ${answer.statusLine}; imports so far: ${imports}`);

  const again = await client.submit(destination, journal, options);
  console.log(`again: ${again.id === first.id ? 'the same job' : 'another job'}; imports so far: ${imports}`);
} finally {
  await box.stop();
  service.stop();
}
