/**
 * Ways to run a scenario file that must not change what it shows (conformance §7.1): with other
 * numbers, through the real codecs, on frozen values, with somebody looking on.
 */
import { Prng } from '../../../src/base/prng.js';
import type { PeerMessage } from '../../../src/raft/index.js';
import { passThroughDisk, passThroughWire } from './real-codecs.js';
import { Relabelling, type RelabellingOptions } from './relabelling.js';
import type { StorageWrite } from './scenario-storage.js';

export interface Variant {
  readonly name: string;
  readonly numbers: RelabellingOptions;
  /** Draws election timeouts, and where to look on. */
  readonly seed: number;
  readonly freeze: boolean;
  /** Asks the read-only parts of the node before and after steps. */
  readonly lookOn: boolean;
  readonly wire: (message: PeerMessage) => PeerMessage;
  readonly disk: (write: StorageWrite) => StorageWrite;
}

export const plainVariant: Variant = {
  name: 'as it is',
  numbers: {},
  seed: 1,
  freeze: false,
  lookOn: false,
  wire: (message) => message,
  disk: (write) => write,
};

const largeIds = [7, 300, 2 ** 40];

/** Ascending, far apart, up to the largest: 9 members and more. */
function largeId(label: number): number {
  return largeIds[label - 1] ?? 2 ** 53 - 1 - (64 - label);
}

export const variants: readonly Variant[] = [
  plainVariant,
  { ...plainVariant, name: 'other ids', numbers: { idOf: largeId } },
  { ...plainVariant, name: 'later indexes', numbers: { indexShift: 1_000_000 } },
  { ...plainVariant, name: 'later terms', numbers: { termShift: 1_000 } },
  { ...plainVariant, name: 'real codecs', wire: passThroughWire, disk: passThroughDisk },
  { ...plainVariant, name: 'frozen values', freeze: true },
  { ...plainVariant, name: 'read at any time', lookOn: true },
  {
    name: 'all of it, other chances',
    numbers: { idOf: largeId, indexShift: 2 ** 40, termShift: 2 ** 33 },
    seed: 2,
    freeze: true,
    lookOn: true,
    wire: passThroughWire,
    disk: passThroughDisk,
  },
];

/** A fresh translation for one run. */
export function relabellingOf(variant: Variant): Relabelling {
  return new Relabelling(variant.numbers);
}

/** A fresh source of chances for one run. */
export function chancesOf(variant: Variant): Prng {
  return new Prng(variant.seed);
}
