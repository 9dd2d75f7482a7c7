/**
 * What 100,000 leases cost: memory of the keyspace's table and of the leader's watch, opening, and
 * keep-alives per second where they are counted.
 *
 * Run: by name through `bench/main.ts`.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { encodeLease, leaseKey } from '../src/mvcc/lease-record.js';
import { LeaseTable } from '../src/mvcc/lease-table.js';
import { LeaseWatch } from '../src/store/lease-watch.js';
import type { Benchmark } from './benchmark.js';
import { formatTable } from './table.js';

const count = 100_000;

function heapBytes(collect: () => void): number {
  collect();
  return process.memoryUsage().heapUsed;
}

/** Bytes and milliseconds of what `make` leaves, which is returned to stay alive. */
function weigh<T>(collect: () => void, make: () => T) {
  const before = heapBytes(collect);
  const from = performance.now();
  const made = make();
  const ms = performance.now() - from;
  return { made, ms, bytes: heapBytes(collect) - before };
}

export const run: Benchmark = async ({ seconds, record }) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const stored = Array.from({ length: count }, (_, nth) => {
    const id = 2n ** 62n + BigInt(nth) * 7_919n;
    const lease = { id, ttlSeconds: 10 + (nth % 600), remainingMs: 0, generation: nth + 1 };
    return [leaseKey(id), encodeLease(lease)] as const;
  });
  const table = weigh(collect, () => LeaseTable.of(stored));
  const leases = [...table.made.values()];
  const watch = weigh(collect, () => {
    const all = new LeaseWatch(300_000);
    for (const lease of leases) all.add(lease, 0);
    return all;
  });
  const ids = leases.map(({ id }) => id);
  let renewed = 0;
  const from = performance.now();
  while (performance.now() - from < seconds * 1_000) {
    for (let nth = 0; nth < 10_000; nth += 1) {
      const lease = watch.made.get(ids[(renewed * 31) % count]!)!;
      watch.made.renew(lease, renewed / 1_000);
      renewed += 1;
    }
  }
  const perSecond = renewed / ((performance.now() - from) / 1_000);
  const expiring = performance.now();
  let expired = 0;
  for (let nowMs = 1e12; ; ) {
    const due = watch.made.takeDue(nowMs, 128);
    if (due.length === 0) break;
    for (const { id } of due) watch.made.remove(id);
    expired += due.length;
  }
  const expireMs = performance.now() - expiring;
  const figures = [
    ['table', 'bytes per lease', table.bytes / count],
    ['table', 'ms to open all', table.ms],
    ['leader watch', 'bytes per lease', watch.bytes / count],
    ['leader watch', 'ms to take over all', watch.ms],
    ['leader watch', 'keep-alives per s', perSecond],
    ['leader watch', `ms to expire ${expired}`, expireMs],
  ] as const;
  for (const [subject, measure, value] of figures) {
    record({ measure, subject, value, unit: measure });
  }
  const rows = figures.map(([subject, measure, value]) => [subject, measure, value.toFixed(1)]);
  console.log(formatTable(['what', 'measure', 'figure'], rows));
};
