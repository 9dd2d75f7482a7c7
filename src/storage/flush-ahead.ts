/**
 * The part of a flush that goes ahead of the rest, as a batch of its own (docs/adr/0005-write-behind.md): puts of
 * history, whose keys only ascend. A table of LevelDB with nothing else in it lies behind all others, so it is never
 * merged; in one table with current records it is, with each of theirs (docs/adr/0022-where-a-put-goes.md).
 *
 * ```
 *   z7 z8 z9        ahead, synced
 *   c.. k.. f5 b    the rest, synced, with the record that proves both
 * ```
 *
 * Without its rest such a batch is nothing, and is removed when the engine is opened: what lies above the highest key
 * of all finished flushes. Without such a batch its rest is a state with a hole, and is refused.
 */
import type { BinaryString } from '../base/bytes.js';
import type { Change } from '../mvcc/backend.js';
import type { KeyRange, KvEngine } from './kv-engine.js';
import type { Layer } from './layers.js';

/** First unit of the keys that may go ahead: behind those of all others, so that tables do not overlap. @since 0.1.0 */
export const aheadUnit: BinaryString = 'z';

const aheadCode = aheadUnit.charCodeAt(0);
const chunkPairs = 1_000;

/** Whether a key is of those that may go ahead. @since 0.1.0 */
export function isAheadKey(key: BinaryString): boolean {
  return key.charCodeAt(0) === aheadCode;
}

/**
 * Bytes of what could go ahead; 0 when a layer does not tell it from the rest, which may then hold the same keys.
 *
 * @since 0.1.0
 */
export function aheadBytesOf(layers: readonly Layer[]): number {
  let bytes = 0;
  for (const { ahead } of layers) {
    if (ahead === undefined) return 0;
    bytes += ahead.bytes;
  }
  return bytes;
}

/**
 * The puts that go ahead: of keys in ascending order, above all there were. Whatever else there is to say of such
 * keys goes with the rest, which is written later and counts.
 *
 * @param layers - newest first; each has a part that goes ahead
 * @param top - highest key that was ever put
 * @param late - is given the others, in the order in which they count
 * @since 0.1.0
 */
export function* aheadOf(
  layers: readonly Layer[],
  top: BinaryString,
  late: Change[],
): Generator<readonly [BinaryString, Uint8Array], void, undefined> {
  let highest = top;
  for (let at = layers.length - 1; at >= 0; at -= 1) {
    for (const walk of layers[at]?.ahead?.walks() ?? []) {
      for (const [key, bytes] of walk) {
        const isHigher = key > highest;
        if (isHigher) highest = key;
        // A deletion counts as well: a put of its key that went ahead of it would be lost.
        if (isHigher && bytes !== null) yield [key, bytes];
        else late.push([key, bytes ?? undefined]);
      }
    }
  }
}

/**
 * Removes what went ahead of a rest that was never written.
 *
 * @param top - highest key of all finished flushes
 * @since 0.1.0
 */
export async function removeAheadOf(top: BinaryString, engine: KvEngine): Promise<void> {
  const above = {
    gte: top === '' ? aheadUnit : `${top}\0`,
    lt: String.fromCharCode(aheadCode + 1),
  };
  for (;;) {
    const keys = await someOf(engine, above);
    if (keys.length === 0) return;
    const removals = keys.map((key) => [key, undefined] as const);
    await engine.write(removals, { sync: true });
  }
}

/** Lets go of its cursor: without snapshots a write waits for all of them (`turn-gate.ts`). */
async function someOf(engine: KvEngine, range: KeyRange): Promise<BinaryString[]> {
  const cursor = engine.iterate({ ...range, bulk: true });
  try {
    return (await cursor.next(chunkPairs)).map(([key]) => key);
  } finally {
    await cursor.close();
  }
}
