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
 * Without its rest such a batch is nothing, and is removed when the engine is opened (`flush-chain.ts`): what lies
 * above the highest key of all finished flushes. Without such a batch its rest is a state with a hole, and is refused.
 */
import type { BinaryString } from '../base/bytes.js';
import type { KeyRange } from './kv-engine.js';
import { type AheadPart, bytesOf, type ChangeListener, type Layer } from './layers.js';

/** First unit of the keys that may go ahead: behind those of all others, so that tables do not overlap. @since 0.1.0 */
export const aheadUnit: BinaryString = 'z';

const aheadCode = aheadUnit.charCodeAt(0);

/** All keys that may go ahead. @since 0.1.0 */
export const aheadKeys: KeyRange = { gte: aheadUnit, lt: String.fromCharCode(aheadCode + 1) };

/** Whether a key is of those that may go ahead. @since 0.1.0 */
export function isAheadKey(key: BinaryString): boolean {
  return key.charCodeAt(0) === aheadCode;
}

/**
 * The parts of some layers that go ahead of their flush, if that is worth it: if they fill a table, and the rest fills
 * another one. With less of the rest what goes ahead of the next flush would be in one table with it.
 *
 * @param layers - newest first
 * @param top - highest key of all finished flushes
 * @param bytesMin - that fill a table
 * @returns oldest first; `undefined`: all goes together
 * @since 0.1.0
 */
export function aheadOf(
  layers: readonly Layer[],
  top: BinaryString,
  bytesMin: number,
): readonly AheadPart[] | undefined {
  const parts: AheadPart[] = [];
  let bytes = 0;
  let highest = top;
  for (const { ahead } of layers.toReversed()) {
    // It may hold the same keys, or lower ones: then they have to be written in the order of the layers.
    if (ahead === undefined || ahead.above < highest) return undefined;
    highest = ahead.highest;
    bytes += ahead.bytes;
    parts.push(ahead);
  }
  const isWorth = bytes > 0 && bytes >= bytesMin && bytesOf(layers) - bytes >= bytesMin;
  return isWorth ? parts : undefined;
}

/**
 * The puts of parts that go ahead, in ascending order.
 *
 * @param parts - oldest first
 * @param listener - is told of each before it is handed out
 * @since 0.1.0
 */
export function* putsOf(
  parts: readonly AheadPart[],
  listener?: ChangeListener,
): Generator<readonly [BinaryString, Uint8Array], void, undefined> {
  let last = '';
  for (const part of parts) {
    for (const walk of part.walks()) {
      for (const [key, bytes] of walk) {
        // What somebody looks up meanwhile comes again, as it was.
        if (key <= last || bytes === null) continue;
        last = key;
        listener?.note(key, bytes);
        yield [key, bytes];
      }
    }
  }
}
