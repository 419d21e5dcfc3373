/**
 * Runs tasks one after another, in the order they came. Answers and pushes of a socket share one, so that no push
 * comes between the reading of a job and the answer that shows it: what a client sees of a job never goes back.
 */
export class Turns {
  readonly #onBug: (error: unknown) => void;
  #tail: Promise<void> = Promise.resolve();

  constructor(onBug: (error: unknown) => void) {
    this.#onBug = onBug;
  }

  /** Resolves when the task has had its turn, whatever became of it. */
  take(task: () => void | Promise<void>): Promise<void> {
    this.#tail = this.#tail.then(task).catch(this.#onBug);
    return this.#tail;
  }

  /** Resolves when the tasks that are waiting now have had theirs. */
  done(): Promise<void> {
    return this.#tail;
  }
}
