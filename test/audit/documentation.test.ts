import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { finish } from '#relay/job/job.js';
import { arrived, departing, linesOf, openRecord, recordText } from '../helpers/audit.js';
import { auditPath, openAt } from '../helpers/audit_files.js';
import { eventually } from '../helpers/eventually.js';
import { answered, destination } from '../helpers/jobs.js';
import { MemoryDisk } from '../helpers/memory_disk.js';

const run = promisify(execFile);
const page = readFileSync('docs/audit.md', 'utf8');

/** What differs from run to run, made the same. */
function steady(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{64}/g, '<hash>')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .trim();
}

test('the commands of the page print what the page says', async (t) => {
  const path = await auditPath(t);
  const audit = await openAt(t, path);
  const job = departing();
  await audit.leaving(job);
  await audit.ended(arrived(job));
  await audit.close();
  const block = /^```console\n(.*?)^```$/ms.exec(page)?.[1] ?? '';
  const steps = block.split(/\n\n/);
  t.is(steps.length, 3);
  const program = `${process.execPath} ${resolve('dist/main.js')} audit`;
  for (const step of steps) {
    const [command = '', ...output] = step.split('\n');
    const line = command.replace(/^\$ /, '').replaceAll('export-relay audit', program);
    const { stdout } = await run('bash', ['-c', `${line} || true`], { cwd: dirname(path) });
    t.is(steady(stdout), steady(output.join('\n')));
  }
});

/** A record with a line of every kind. */
async function everyKind(): Promise<ReturnType<typeof linesOf>> {
  const disk = new MemoryDisk();
  const first = await openRecord(disk, { maxFileBytes: 1000 });
  const [answeredJob, failedJob, lostJob] = [departing({ purpose: 'backup' }), departing(), departing()];
  for (const job of [answeredJob, failedJob, lostJob]) await first.record.leaving(job);
  for (const address of ['192.0.2.1', '192.0.2.2']) {
    first.record.attempted(answeredJob.id, { ...answered(), address });
  }
  await first.record.ended(arrived(answeredJob));
  const error = { code: 'timeout', message: '' } as const;
  first.record.attempted(failedJob.id, { kind: 'failed', error: { ...error, internal: 'during dns' } });
  await first.record.ended(finish(failedJob, { kind: 'gave_up', error }, 0));
  disk.kill();
  disk.setBytes('audit.log', Buffer.concat([disk.bytes('audit.log'), Buffer.from('{"seq"')]));
  const { record, clock } = await openRecord(disk);
  const refusal = {
    owner: '',
    destination: destination(),
    purpose: 'backup',
    dataBytes: 2,
    dataSha256: () => '0'.repeat(64),
    failure: { code: 'destination_refused', rule: 'private' },
  };
  record.refused(refusal);
  record.refused(refusal);
  await clock.advance(60_000);
  disk.faults.set('write', 'EIO');
  await record.leaving(departing()).catch(() => undefined);
  disk.faults.clear();
  await clock.advance(1000);
  await eventually(() => record.writable);
  await record.close();
  return linesOf(recordText(disk));
}

const common = ['seq', 'time', 'kind', 'prev', 'hash', 'sig'];

test('the page names every kind of line and everything in it, and nothing else', async (t) => {
  const rows = new Map<string, ReadonlySet<string>>();
  for (const [, kind = '', says = ''] of page.matchAll(/^\| `(\w+)` +\|[^|]*\|([^|]*)\|$/gm)) {
    rows.set(kind, new Set([...says.matchAll(/`(\w+)`/g)].map(([, word = '']) => word)));
  }
  const written = new Map<string, Set<string>>();
  for (const { kind, members } of await everyKind()) {
    const seen = written.get(kind) ?? new Set();
    for (const member of Object.keys(members)) if (!common.includes(member)) seen.add(member);
    written.set(kind, seen);
  }
  t.deepEqual([...rows.keys()].filter((kind) => written.has(kind)).sort(), [...written.keys()].sort());
  const leaving = [...(rows.get('leaving') ?? [])].filter((word) => word !== 'attempt');
  for (const [kind, members] of written) {
    const named = new Set([...(rows.get(kind) ?? []), ...(kind === 'export' ? leaving : [])]);
    for (const member of members) t.true(named.has(member), `${kind}: ${member}`);
    for (const word of named) {
      // Words of values.
      if (['stop', 'kill', 'nothing', 'yes', 'no', 'maybe'].includes(word)) continue;
      t.true(members.has(word), `${kind}: ${word} is never written`);
    }
  }
});

test('the line that the page shows has the members that such a line has', async (t) => {
  const shown = JSON.parse(/^```json\n(.*?)\n```$/ms.exec(page)?.[1] ?? '') as object;
  const line = (await everyKind()).find(({ members }) => members['status'] === 200);
  t.deepEqual(
    Object.keys(shown),
    Object.keys(line?.members ?? {}).filter((member) => member !== 'other_addresses'),
  );
});
