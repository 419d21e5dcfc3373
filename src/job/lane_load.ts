/** Unfinished jobs of each lane. A lane without any takes no memory. */
export class LaneLoad {
  readonly #jobs = new Map<string, number>();

  of(lane: string): number {
    return this.#jobs.get(lane) ?? 0;
  }

  add(lane: string): void {
    this.#jobs.set(lane, this.of(lane) + 1);
  }

  remove(lane: string): void {
    const left = this.of(lane) - 1;
    if (left <= 0) this.#jobs.delete(lane);
    else this.#jobs.set(lane, left);
  }
}
