import { setTimeout as delay } from 'node:timers/promises';

/** Resolves once the condition holds; rejects if it still does not after `withinMs`. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  withinMs = 5000,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > deadline)
      throw new Error(`still not so after ${withinMs} ms: ${condition.toString()}`);
    await delay(5);
  }
}
