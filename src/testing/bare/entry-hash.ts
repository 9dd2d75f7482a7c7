/** Hashes of entries and of what they lead to, in 32-bit integer arithmetic. */
import type { Entry } from '../../raft/index.js';
import { mix32 } from '../sim-hash.js';

const typeCodes = { normal: 1, 'config-change': 2, 'config-change-v2': 3 } as const;

/**
 * Hash of kind and bytes of an entry.
 *
 * @since 0.1.0
 */
export function entryHash({ type, data }: Entry): number {
  let h: number = typeCodes[type];
  const whole = data.length & ~3;
  for (let at = 0; at < whole; at += 4) {
    const word =
      (data[at] as number) |
      ((data[at + 1] as number) << 8) |
      ((data[at + 2] as number) << 16) |
      ((data[at + 3] as number) << 24);
    h = mix32(h, word);
  }
  for (let at = whole; at < data.length; at += 1) h = mix32(h, data[at] as number);
  return mix32(h, data.length) >>> 0;
}

/**
 * Hash of a state machine after an entry, from the one before.
 *
 * @param before - of the state before
 * @param entry - position and {@link entryHash}
 * @since 0.1.0
 */
export function nextHash(
  before: number,
  entry: { readonly index: number; readonly term: number; readonly hash: number },
): number {
  return mix32(mix32(mix32(before, entry.index), entry.term), entry.hash) >>> 0;
}
