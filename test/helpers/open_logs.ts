import type { Log } from '#relay/journal/log.js';
import { type LogSettings, openLog } from '#relay/journal/open_log.js';
import type { Job } from '#relay/job/job.js';
import type { MemoryDisk } from './memory_disk.js';

/** A journal that must open, on a disk in memory. */
export async function openOn(
  disk: MemoryDisk,
  settings: LogSettings = {},
): Promise<{ readonly log: Log; readonly jobs: readonly Job[] }> {
  const opened = await openLog(disk.storage(), settings);
  if (!opened.ok) throw new Error(`${opened.refusal.reason}: ${opened.refusal.why}`);
  return opened;
}

export function put(log: Log, job: Job): Promise<void> {
  return log.write(job.id, job);
}
