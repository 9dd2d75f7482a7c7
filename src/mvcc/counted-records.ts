/**
 * Which records the backend is to keep count of: the current versions, one for each live key.
 */
import type { BinaryString } from '../base/bytes.js';
import { isFirstVersion } from './record.js';
import { currentKey } from './record-keys.js';

/**
 * For the backend's option `counted`. A key comes with the first version of a generation, and goes with
 * its record: nothing deletes a key that is not there, or puts a first version over another one.
 *
 * @since 0.1.0
 */
export const countedRecords: {
  readonly prefix: BinaryString;
  readonly delta: (bytes: Uint8Array | undefined) => number;
} = {
  prefix: currentKey(''),
  delta(bytes) {
    if (bytes === undefined) return -1;
    return isFirstVersion(bytes) ? 1 : 0;
  },
};
