import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { loadPublicKey } from '#relay/audit/keys.js';
import { verifyFiles } from '#relay/audit/verify_files.js';
import { problems } from '../helpers/audit.js';
import { auditPath, openAt, readLines } from '../helpers/audit_files.js';

const kills = Number(process.env['AUDIT_KILLS'] ?? 8);
const child = fileURLToPath(new URL('../helpers/audit_child.js', import.meta.url));

/** What a process prints that records exports until it is killed, some time after it is ready. */
async function recordUntilKilled(path: string): Promise<readonly string[]> {
  const running = spawn(process.execPath, [child, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  running.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
  const closed = once(running, 'close');
  await Promise.race([once(running.stdout, 'data'), closed]);
  await delay(5 + Math.random() * 60);
  running.kill('SIGKILL');
  await closed;
  return printed.split('\n').slice(0, -1);
}

test(`${kills} kills at any moment leave a whole record of everything that left`, async (t) => {
  const path = await auditPath(t);
  const certain: string[] = [];
  for (let kill = 0; kill < kills; kill += 1) {
    const lines = await recordUntilKilled(path);
    t.is(lines[0], 'ready');
    certain.push(...lines.slice(1));
  }
  await (await openAt(t, path)).close();
  const key = await loadPublicKey(`${path}.pub`);
  if (!key.ok) throw new Error(key.detail);
  const report = await verifyFiles(path, { key: key.key });
  t.deepEqual(problems(report), []);
  const recorded = new Set<string>();
  const open = new Set<unknown>();
  for (const file of report.files) {
    for (const { kind, job } of await readLines(file)) {
      recorded.add(`${String(kind)} ${String(job)}`);
      if (kind === 'leaving') open.add(job);
      if (kind === 'export' || kind === 'unfinished') open.delete(job);
    }
  }
  t.true(certain.length > kills * 10, `only ${certain.length} lines were certain`);
  for (const line of certain) t.true(recorded.has(line), line);
  t.is(open.size, 0);
});
