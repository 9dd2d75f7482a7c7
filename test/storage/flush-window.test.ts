// Which flush records go: none that a log may still hold, and never the last one that none can.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FlushWindow } from '../../src/storage/flush-window.js';

const buffer = 100;
const group = 2 * buffer;
/** Small and large ones, for a write buffer of 100. */
const size = fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 500 }));
const sizes = fc.array(size, { maxLength: 60 });

const alone = (bytes: number) => ({ bytes, aheadBytes: 0 });

/** The newest flush from which on two groups were filled before the last one came. */
function oldestNaive(all: readonly number[]): number {
  let [groups, sum] = [0, 0];
  for (let at = all.length - 2; at >= 0; at -= 1) {
    sum += all[at] as number;
    if (sum <= group) continue;
    groups += 1;
    sum = 0;
    if (groups === 2) return at + 1;
  }
  return 1;
}

test('any sizes, gone on from a reopen or not -> as a slow twin says', () => {
  fc.assert(
    fc.property(sizes, fc.nat(), (all, reopenAt) => {
      let window = new FlushWindow(group, 1, []);
      let oldest = 1;
      for (let count = 1; count <= all.length; count += 1) {
        oldest = window.add(all[count - 1] as number);
        expect(oldest).toBe(oldestNaive(all.slice(0, count)));
        if (count !== reopenAt % (all.length + 1)) continue;
        window = new FlushWindow(group, oldest, all.slice(oldest - 1, count).map(alone));
      }
    }),
  );
});

test('an engine that turns a full buffer into a table -> what goes and the oldest are in tables', () => {
  fc.assert(
    fc.property(sizes, fc.integer({ min: 0, max: 20 }), (all, overhead) => {
      const window = new FlushWindow(group, 1, []);
      /** Last flush in a table, and in the buffer that becomes the next one. */
      let [inTables, leaving, used] = [0, 0, 0];
      for (const [at, size] of all.entries()) {
        if (used > buffer) [inTables, leaving, used] = [leaving, at, 0];
        used += size + overhead;
        const oldest = window.add(size);
        expect(oldest === 1 || oldest <= inTables).toBe(true);
      }
    }),
  );
});

test('with batches that go ahead, gone on from a reopen or not -> what goes and the oldest are in tables', () => {
  const flushes = fc.array(fc.record({ bytes: size, aheadBytes: fc.oneof(fc.constant(0), size) }), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(flushes, fc.nat(), (all, reopenAt) => {
      let window = new FlushWindow(group, 1, []);
      let [inTables, leaving, used] = [0, 0, 0];
      for (const [at, { bytes, aheadBytes }] of all.entries()) {
        for (const batch of aheadBytes === 0 ? [bytes] : [aheadBytes, bytes]) {
          if (used > buffer) [inTables, leaving, used] = [leaving, at, 0];
          used += batch;
        }
        window.extend(aheadBytes);
        const oldest = window.add(bytes);
        expect(oldest === 1 || oldest <= inTables).toBe(true);
        if (at === reopenAt % (all.length + 1)) {
          window = new FlushWindow(group, oldest, all.slice(oldest - 1, at + 1));
        }
      }
    }),
    { numRuns: 2_000 },
  );
});
