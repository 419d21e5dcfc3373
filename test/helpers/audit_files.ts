import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Audit, type AuditOptions, openAudit } from '#relay/audit/audit.js';
import type { Cleanup } from './scripted_destination.js';

/** The path for a record in a directory that goes with the test. */
export async function auditPath(t: Cleanup): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'audit-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  return join(directory, 'audit.log');
}

/** A record that must open, and closes with the test. */
export async function openAt(t: Cleanup, path: string, options: Partial<AuditOptions> = {}): Promise<Audit> {
  const opened = await openAudit({ path, maxFileBytes: 1 << 20, ...options });
  if (!opened.ok) throw new Error(opened.detail);
  t.teardown(() => opened.audit.close());
  return opened.audit;
}

export async function refusalAt(path: string): Promise<{ readonly reason: string; readonly detail: string }> {
  const opened = await openAudit({ path, maxFileBytes: 1 << 20 });
  if (!opened.ok) return opened;
  await opened.audit.close();
  throw new Error('it was opened');
}

/** The lines of a file of a record, parsed. */
export async function readLines(path: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const text = await readFile(path, 'utf8');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
