/**
 * What members ask the leader about leases, and its answers, as bytes: a version byte, then one flat
 * array.
 *
 *     keep alive    [0, then per lease: id, generation | 0]   ->  [per lease: TTL in seconds | 0]
 *     time to live  [1, id, generation | 0]                   ->  [] or [TTL in seconds, ms left]
 */
import { limits } from '../base/limits.js';
import { FlatReader } from './flat-reader.js';
import { packKept, type Scalar, unpackFlat } from './packr.js';

/**
 * Version of the format of questions and answers.
 *
 * @since 0.1.0
 */
export const questionVersion = 1;

/**
 * Place in the list is the number in the bytes: only ever append, and not here, for others follow.
 *
 * @since 0.1.0
 */
export const leaseQuestionKinds = ['keep-alive', 'time-to-live'] as const;

/**
 * Elements of a question about leases.
 *
 * @since 0.1.0
 */
export const leaseQuestionElementsMax = 1 + 2 * limits.leasesPerMessageMax;

/** A lease as one of its holders names it. @since 0.1.0 */
export interface LeaseName {
  readonly id: bigint;
  /** 0: whichever lease has the id. */
  readonly generation: number;
}

/** @since 0.1.0 */
export type LeaseQuestion =
  | { readonly kind: 'keep-alive'; readonly leases: readonly LeaseName[] }
  | ({ readonly kind: 'time-to-live' } & LeaseName);

/** How long a lease has left. @since 0.1.0 */
export interface LeaseTime {
  readonly ttlSeconds: number;
  readonly remainingMs: number;
}

/**
 * @param question - of at most `leasesPerMessageMax` leases
 * @since 0.1.0
 */
export function encodeLeaseQuestion(question: LeaseQuestion): Uint8Array {
  const values: Scalar[] = [leaseQuestionKinds.indexOf(question.kind)];
  const leases = question.kind === 'time-to-live' ? [question] : question.leases;
  for (const { id, generation } of leases) values.push(id, generation);
  return packKept(values, questionVersion);
}

/**
 * Reads a question behind its kind, to the end.
 *
 * @throws {KontikiError} FRAME_INVALID
 * @since 0.1.0
 */
export function readLeaseQuestion(
  kind: (typeof leaseQuestionKinds)[number],
  reader: FlatReader,
): LeaseQuestion {
  if (kind === 'time-to-live') {
    const name = readName(reader);
    reader.end();
    return { kind, ...name };
  }
  const leases: LeaseName[] = [];
  while (reader.left > 0) leases.push(readName(reader));
  return { kind, leases };
}

function readName(reader: FlatReader): LeaseName {
  return { id: reader.bigint('id'), generation: reader.integer('generation') };
}

/**
 * @param numbers - safe integers of at least 0, as the table above says
 * @since 0.1.0
 */
export function encodeLeaseAnswer(numbers: readonly number[]): Uint8Array {
  return packKept([...numbers], questionVersion);
}

/**
 * @throws {KontikiError} FRAME_INVALID, FORMAT_UNSUPPORTED
 * @since 0.1.0
 */
export function decodeLeaseAnswer(bytes: Uint8Array): number[] {
  const reader = new FlatReader(unpackFlat(bytes, questionVersion, leaseQuestionElementsMax));
  const numbers: number[] = [];
  while (reader.left > 0) numbers.push(reader.integer('number'));
  return numbers;
}
