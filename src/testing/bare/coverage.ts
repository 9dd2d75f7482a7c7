/** What really happened in a run: one in which nothing happens would pass as well. */

/**
 * Counts by name.
 *
 * @since 0.1.0
 */
export class Coverage {
  readonly counts: Record<string, number> = {};

  /**
   * @param name - of what happened
   * @param by - how often
   */
  count(name: string, by = 1): void {
    this.counts[name] = (this.counts[name] ?? 0) + by;
  }

  addAll(counts: Readonly<Record<string, number>>): void {
    for (const [name, by] of Object.entries(counts)) this.count(name, by);
  }
}
