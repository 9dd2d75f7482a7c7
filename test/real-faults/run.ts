/** A run of a cluster of processes under load, from its first call to the verdict. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { Cluster, type ClusterOptions } from './cluster.js';
import { contentsOf, Journal, watchFaults } from './journal.js';
import type { Change, Notice } from './protocol.js';

export class Run {
  readonly journal = new Journal();
  readonly folder: string;
  readonly cluster: Cluster;
  /** What ended by itself, in words. */
  readonly ended: string[] = [];

  private constructor(folder: string, tls: ClusterOptions['tls']) {
    this.folder = folder;
    const onNotice = (member: string, notice: Notice) => this.#onNotice(member, notice);
    this.cluster = new Cluster({ folder, onNotice, ...(tls && { tls }) });
  }

  static async begin(tls?: ClusterOptions['tls']): Promise<Run> {
    return new Run(await mkdtemp(join(tmpdir(), 'kontiki-faults-')), tls);
  }

  /** @param names - of the founders */
  static async of(names: readonly string[], tls?: ClusterOptions['tls']): Promise<Run> {
    const run = await Run.begin(tls);
    try {
      await run.cluster.found(names);
      await run.cluster.untilWell();
      return run;
    } catch (error) {
      await run.end();
      throw error;
    }
  }

  /**
   * Stops the load and judges: linearizable, watches exact, nothing lost, on all members the same.
   *
   * @returns all changes there were
   */
  async judge(): Promise<readonly Change[]> {
    const { cluster, journal } = this;
    await cluster.settle();
    const seen = [...cluster.members, ...cluster.gone];
    const gone = new Set(cluster.gone.map(({ name }) => name));
    const shown = new Map(seen.map(({ name, changes }) => [name, changes]));
    const { all, faults } = watchFaults(shown, gone);
    expect(faults).toEqual([]);
    expect(journal.writeFaults(all)).toEqual([]);
    const expected = [...contentsOf(all)].sort();
    for (const member of cluster.members) {
      expect([...((await member.contents()) ?? [])].sort(), member.name).toEqual(expected);
    }
    await cluster.closeAll();
    expect(journal.linearizabilityFaults()).toEqual([]);
    const outcomes = ['ok', 'rejected', 'unknown'] as const;
    const counts = outcomes.map((outcome) => `${journal.count(outcome)} ${outcome}`);
    const failures = JSON.stringify(Object.fromEntries(journal.failures));
    console.log(`  ${counts.join(', ')}; ${all.length} changes; ${failures}`);
    return all;
  }

  /** Leaves nothing behind. */
  async end(): Promise<void> {
    await this.cluster.end();
    await rm(this.folder, { recursive: true, force: true });
  }

  #onNotice(member: string, notice: Notice): void {
    this.journal.take(notice);
    if (notice.tell !== 'failed' && notice.tell !== 'watch-ended') return;
    this.ended.push(`${notice.tell}: ${notice.code}`);
    if (notice.tell === 'failed') console.log(`  ${member} stopped: ${notice.code}`);
  }
}
