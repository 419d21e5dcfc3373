import type { Log } from '#relay/journal/log.js';
import { type LogSettings, openLog } from '#relay/journal/open_log.js';
import type { StoredJob } from '#relay/journal/record.js';
import type { MemoryDisk } from './memory_disk.js';

/** A journal that must open, on a disk in memory. */
export async function openOn(
  disk: MemoryDisk,
  settings: LogSettings = {},
): Promise<{ readonly log: Log; readonly jobs: readonly StoredJob[] }> {
  const opened = await openLog(disk.storage(), settings);
  if (!opened.ok) throw new Error(`${opened.refusal.reason}: ${opened.refusal.why}`);
  return opened;
}

export function put(log: Log, stored: StoredJob): Promise<void> {
  return log.write(stored.job.id, stored);
}
