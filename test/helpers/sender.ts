import { Cancellation } from '#relay/delivery/cancellation.js';
import { createGuardedConnector } from '#relay/delivery/connector.js';
import { createGuard, type Lookup } from '#relay/delivery/guard.js';
import type { AttemptOutcome } from '#relay/delivery/outcome.js';
import { type Sender, createSender } from '#relay/delivery/send.js';
import { destination, policy } from './egress.js';
import type { Cleanup } from './scripted_destination.js';

export interface SenderUnderTest extends Sender {
  /** Makes one attempt. */
  readonly send: (uri: string, delivery?: SendOptions) => Promise<AttemptOutcome>;
}

interface SendOptions {
  readonly data?: string;
  readonly idempotencyKey?: string;
  readonly timeoutMs?: number;
  readonly cancellation?: Cancellation;
}

/** A real sender that may reach the loopback. It closes with the test. */
export function startSender(
  t: Cleanup,
  options: {
    readonly lookup?: Lookup;
    readonly ca?: readonly string[];
    readonly maxIdleConnections?: number;
  } = {},
): SenderUnderTest {
  const { lookup, ca = [], maxIdleConnections = 8 } = options;
  const guard = createGuard({
    policy: policy({ allowHttp: true, allowNetworks: ['127.0.0.0/8'] }),
    ownListeners: () => [],
    ...(lookup !== undefined && { lookup }),
  });
  const sender = createSender({
    connect: createGuardedConnector({ guard, timeoutMs: 20_000, ca }),
    maxResponseBytes: 64 * 1024,
    maxIdleConnections,
    userAgent: 'test',
    signingKeys: [],
  });
  t.teardown(() => sender.close());
  const send: SenderUnderTest['send'] = (uri, delivery = {}) =>
    sender.deliver({
      destination: destination(uri),
      data: '{}',
      headers: [],
      idempotencyKey: 'key',
      nowMs: Date.now(),
      timeoutMs: 20_000,
      cancellation: new Cancellation(),
      ...delivery,
    });
  return { ...sender, send };
}

/** The part of an outcome that tables speak of: the status and body, or the error. */
export function brief(outcome: AttemptOutcome): string {
  if (outcome.kind === 'failed') return outcome.error.code;
  const { statusCode, body, truncated } = outcome.answer;
  return `${statusCode} ${body}${truncated ? '…' : ''}`;
}
