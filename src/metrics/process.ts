import { collectDefaultMetrics, type Registry } from 'prom-client';

/**
 * What of the library's figures about the process is kept. The others break the naming rules (gauges that end in
 * `_total`), cost much with many sockets (lists of handles), or say nothing new. `nodejs_eventloop_lag_seconds`,
 * `nodejs_heap_size_total_bytes` and `process_cpu_user_seconds_total` read those beside them too.
 */
const kept: ReadonlySet<string> = new Set([
  'process_cpu_user_seconds_total',
  'process_cpu_system_seconds_total',
  'process_cpu_seconds_total',
  'process_start_time_seconds',
  'process_resident_memory_bytes',
  'process_open_fds',
  'process_max_fds',
  'nodejs_eventloop_lag_seconds',
  'nodejs_eventloop_lag_mean_seconds',
  'nodejs_eventloop_lag_max_seconds',
  'nodejs_eventloop_lag_p50_seconds',
  'nodejs_eventloop_lag_p99_seconds',
  'nodejs_heap_size_total_bytes',
  'nodejs_heap_size_used_bytes',
  'nodejs_external_memory_bytes',
  'nodejs_gc_duration_seconds',
  'nodejs_version_info',
]);

/** How often the event loop's delay is sampled. An idle loop shows about this much. */
const samplingMs = 10;

/** Figures of the whole process; they go on being collected until it ends, so once a process. */
export function collectProcessMetrics(registry: Registry): void {
  const own = new Set(registry.getMetricsAsArray().map(({ name }) => name));
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: samplingMs });
  for (const { name } of registry.getMetricsAsArray()) {
    if (!own.has(name) && !kept.has(name)) registry.removeSingleMetric(name);
  }
}
