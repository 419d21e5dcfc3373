import type { Ledger } from '#relay/admin/ledger.js';
import { startAdminListener } from '#relay/admin_listener.js';
import { systemClock } from '#relay/clock.js';
import type { RegistryStats } from '#relay/job/registry.js';
import { createLogger } from '#relay/log/logger.js';

/** What a registry says of itself that has nothing to do. */
const idle: RegistryStats = {
  pending: 0,
  processing: 0,
  finished: 0,
  waiters: 0,
  lanes: 0,
  running: 0,
  bytes: 0,
};

/** An admin listener that shows a ledger, with no relay behind it. */
export async function startAdmin(
  ledger: Ledger,
  { stats = idle, auditFile }: { readonly stats?: RegistryStats; readonly auditFile?: string } = {},
): Promise<{ readonly url: string; readonly close: () => Promise<void> }> {
  const listener = await startAdminListener(
    {
      admin: { host: '127.0.0.1', port: 0 },
      concurrency: 256,
      maxQueued: 10_000,
      maxWaiters: 20_000,
      maxMemoryBytes: 268_435_456,
      maxKept: 100_000,
    },
    {
      ledger,
      registry: { stats: () => stats },
      readiness: () => ({ ready: true }),
      auditFile,
      clock: systemClock,
      logger: createLogger('silent', { write: () => undefined }),
      onBug: (error) => {
        throw error;
      },
      onRefused: () => undefined,
    },
  );
  if (listener === undefined) throw new Error('the admin listener is off');
  return listener;
}
