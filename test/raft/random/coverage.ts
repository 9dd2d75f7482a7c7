/** What really happened in a run: a schedule in which nothing happens would pass as well. */

export const counters = [
  'advances',
  'changesOvertaken',
  'compactions',
  'forwarded',
  'leaseReads',
  'overtaken',
  'refusedAtPropose',
  'turnedDown',
] as const;

export type Counter = (typeof counters)[number];

export class Coverage {
  readonly counts: Record<string, number> = {};

  count(name: Counter, by = 1): void {
    this.add(name, by);
  }

  add(name: string, by: number): void {
    this.counts[name] = (this.counts[name] ?? 0) + by;
  }

  addAll({ counts }: Coverage): void {
    for (const [name, by] of Object.entries(counts)) this.add(name, by);
  }
}
