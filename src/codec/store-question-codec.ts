/**
 * What members of a store ask the leader, as bytes: a version byte, then one flat array that begins with
 * the kind. Those about leases are in `lease-question-codec.ts`; beside them
 *
 *     state hashes  [2, member, then per hash: index, 32 digits]   ->  []
 */
import { binaryBytes } from '../base/bytes.js';
import { kontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import { FlatReader } from './flat-reader.js';
import {
  type LeaseQuestion,
  leaseQuestionElementsMax,
  leaseQuestionKinds,
  questionVersion,
  readLeaseQuestion,
} from './lease-question-codec.js';
import { packKept, type Scalar, unpackFlat } from './packr.js';

const kinds = [...leaseQuestionKinds, 'state-hashes'] as const;
const elementsMax = Math.max(leaseQuestionElementsMax, 2 + 2 * limits.stateHashesMax);
const hashPattern = /^[0-9a-f]{32}$/;

/** What a member held at some indexes, for the leader to compare. @since 0.1.0 */
export interface StateReport {
  readonly kind: 'state-hashes';
  /** Whose they are. */
  readonly member: number;
  /** Ascending by index. */
  readonly hashes: readonly { readonly index: number; readonly hash: string }[];
}

/** @since 0.1.0 */
export type StoreQuestion = LeaseQuestion | StateReport;

/**
 * @param report - of at most `limits.stateHashesMax` hashes
 * @since 0.1.0
 */
export function encodeStateReport({ member, hashes }: StateReport): Uint8Array {
  const values: Scalar[] = [kinds.indexOf('state-hashes'), member];
  for (const { index, hash } of hashes) values.push(index, binaryBytes(hash));
  return packKept(values, questionVersion);
}

/**
 * @throws {KontikiError} FRAME_INVALID, FORMAT_UNSUPPORTED
 * @since 0.1.0
 */
export function decodeStoreQuestion(bytes: Uint8Array): StoreQuestion {
  const reader = new FlatReader(unpackFlat(bytes, questionVersion, elementsMax));
  const kind = reader.oneOf('kind', kinds);
  return kind === 'state-hashes' ? readStateReport(reader) : readLeaseQuestion(kind, reader);
}

function readStateReport(reader: FlatReader): StateReport {
  const member = reader.integer('member', 1);
  const hashes: { readonly index: number; readonly hash: string }[] = [];
  let before = 0;
  while (reader.left > 0) {
    const index = reader.integer('index', before + 1);
    const hash = reader.text('hash');
    if (!hashPattern.test(hash)) throw kontikiError('FRAME_INVALID', 'a hash is of 32 digits');
    hashes.push({ index, hash });
    before = index;
  }
  return { kind: 'state-hashes', member, hashes };
}
