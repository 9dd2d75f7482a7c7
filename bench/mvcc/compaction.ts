/**
 * Worst latency of a put while a compaction removes a long history. The loop that removes is the
 * store's own.
 */
import { systemClock, systemTimers } from '../../src/base/clock.js';
import { CompactionLoop } from '../../src/store/compaction-loop.js';
import { keyOf, putAll, valueFor } from './load.js';
import { KeyspaceRig } from './rig.js';

/** Milliseconds. */
export interface PutLatency {
  readonly median: number;
  readonly p99: number;
  readonly worst: number;
  readonly puts: number;
  readonly seconds: number;
}

const keys = 10_000;

/** Makes `revisions` revisions of some keys; puts one at a time, then the same while they go. */
export async function compaction(
  folder: string,
  revisions: number,
): Promise<{ readonly idle: PutLatency; readonly compacting: PutLatency }> {
  const rig = await KeyspaceRig.open(`${folder}/compaction`);
  await putAll(rig, 0, revisions, (nth) => nth % keys);
  await rig.backend.flush();
  const end = performance.now() + 2_000;
  const idle = await putWhile(rig, () => performance.now() < end);
  await rig.apply([{ op: 'compact', revision: rig.keyspace.revision }]);
  let isOver = false;
  const loop = new CompactionLoop(systemClock, systemTimers, {
    get appliedIndex() {
      return rig.keyspace.revision;
    },
    removeCompacted: async (changesMax) => {
      const bytes = await rig.removeCompacted(changesMax);
      isOver = bytes === undefined;
      return bytes;
    },
  });
  loop.wake();
  const compacting = await putWhile(rig, () => !isOver);
  loop.close();
  await rig.close();
  return { idle, compacting };
}

async function putWhile(rig: KeyspaceRig, goesOn: () => boolean): Promise<PutLatency> {
  const took: number[] = [];
  const begin = performance.now();
  for (let nth = 0; goesOn(); nth += 1) {
    const start = performance.now();
    await rig.apply([{ op: 'put', key: keyOf(nth % keys), value: valueFor(nth) }]);
    took.push(performance.now() - start);
    // As the driver does: one batch a turn.
    await new Promise<void>((resolve) => systemTimers.soon(resolve));
  }
  const seconds = (performance.now() - begin) / 1_000;
  took.sort((a, b) => a - b);
  const at = (share: number): number => took[Math.floor(share * (took.length - 1))] ?? 0;
  return { median: at(0.5), p99: at(0.99), worst: at(1), puts: took.length, seconds };
}
