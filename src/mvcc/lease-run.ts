/**
 * Runs a lease command: pure in state, command and place in the log, like everything that is applied.
 */
import { assert, unreachable } from '../base/assert.js';
import type { BinaryString } from '../base/bytes.js';
import { type KontikiError, kontikiError } from '../base/errors.js';
import type { ReadSet, StoredRecord } from './backend.js';
import { attachmentRange, encodeLease, keyOfAttachment, leaseKey } from './lease-record.js';
import type { LeaseTable } from './lease-table.js';
import type {
  LeaseCheckpointCommand,
  LeaseCommand,
  LeaseEntry,
  LeaseGrantCommand,
  LeaseResult,
  LeaseRevokeCommand,
  LogPlace,
} from './lease-types.js';
import { nextLimit, type RangeSlice, restOf, type Steps } from './range-slices.js';
import type { ReadPlanDraft, ReadView } from './read-view.js';
import { corruptRecord } from './record-bytes.js';
import { currentKey } from './record-keys.js';
import type { RevisionDraft } from './revision-draft.js';
import type { HashSums } from './state-hash.js';
import type { KeyVersion } from './types.js';

/** What a lease command works on. @since 0.1.0 */
export interface LeaseRun {
  readonly leases: LeaseTable;
  readonly view: ReadView;
  readonly draft: RevisionDraft;
  readonly sums: HashSums;
  readonly place: LogPlace | undefined;
}

/** Keys of a revoke whose records are read first: their values may all be of the largest size. */
const firstLimit = 64;

/**
 * Adds the first reads of a lease command: a revoke's keys by name. Their records are read when it
 * runs.
 *
 * @param slice - how many at a time; default all
 * @since 0.1.0
 */
export function planLease(command: LeaseCommand, plan: ReadPlanDraft, slice?: RangeSlice): void {
  if (command.op !== 'lease-revoke') return;
  plan.ranges.push({ ...attachmentRange(command.id), ...slice });
}

/**
 * Runs a faultless lease command. Everything that may refuse it comes before its first change.
 *
 * @throws {KontikiError} STATE_CORRUPT, FORMAT_UNSUPPORTED, when a record is damaged
 * @since 0.1.0
 */
export function* runLease(command: LeaseCommand, run: LeaseRun): Steps<LeaseResult | KontikiError> {
  switch (command.op) {
    case 'lease-grant':
      return grant(command, run);
    case 'lease-revoke':
      return yield* revoke(command, run);
    case 'lease-checkpoint':
      return checkpoint(command, run);
    default:
      return unreachable(command);
  }
}

/**
 * The error for a lease that does not exist.
 *
 * @since 0.1.0
 */
export function leaseNotFound(id: bigint): KontikiError {
  return kontikiError('LEASE_NOT_FOUND', `no lease ${id}`, { outcome: 'rejected' });
}

function grant({ id, ttlSeconds }: LeaseGrantCommand, run: LeaseRun): LeaseResult | KontikiError {
  if (run.leases.get(id) !== undefined) {
    return kontikiError('LEASE_EXISTS', `lease ${id} exists`, { outcome: 'rejected' });
  }
  const lease = { id, ttlSeconds, remainingMs: 0, generation: placeOf(run).index };
  write(lease, run);
  return { op: 'lease-grant', revision: run.draft.revision, lease };
}

function* revoke(
  { id, generation, expired }: LeaseRevokeCommand,
  run: LeaseRun,
): Steps<LeaseResult | KontikiError> {
  const { leases, draft, sums } = run;
  const lease = leases.get(id);
  if (lease === undefined) return leaseNotFound(id);
  if (expired !== undefined) {
    if (expired.term !== placeOf(run).term) return staleTerm(expired.term);
    if (expired.generation !== lease.generation) return leaseNotFound(id);
  }
  if (generation !== undefined && generation !== lease.generation) return leaseNotFound(id);
  const deleted = yield* deleteKeys(id, run);
  sums.subtract('leases', encodeLease(lease));
  draft.changes.push([leaseKey(id), undefined]);
  leases.delete(id);
  return { op: 'lease-revoke', revision: draft.revision, id, deleted };
}

function checkpoint(command: LeaseCheckpointCommand, run: LeaseRun): LeaseResult | KontikiError {
  if (command.term !== placeOf(run).term) return staleTerm(command.term);
  let noted = 0;
  for (const { id, generation, remainingMs } of command.leases) {
    const lease = run.leases.get(id);
    if (lease === undefined || lease.generation !== generation) continue;
    noted += 1;
    if (lease.remainingMs === remainingMs) continue;
    run.sums.subtract('leases', encodeLease(lease));
    write({ ...lease, remainingMs }, run);
  }
  return { op: 'lease-checkpoint', revision: run.draft.revision, noted };
}

function write(lease: LeaseEntry, { leases, draft, sums }: LeaseRun): void {
  const bytes = encodeLease(lease);
  draft.changes.push([leaseKey(lease.id), bytes]);
  sums.add('leases', bytes);
  leases.set(lease);
}

/** Deletes the keys of a lease, in key order, as the attachments are. @returns how many */
function* deleteKeys(id: bigint, { view, draft }: LeaseRun): Steps<number> {
  const { limit = Infinity, bytesMax = Infinity } = view.planned(0);
  let deleted = 0;
  let count = Math.min(firstLimit, limit);
  let attached = view.range(0);
  let rest = restOf(view.planned(0), attached);
  for (;;) {
    for (let at = 0; at < attached.length; ) {
      const some = attached.slice(at, at + count);
      at += some.length;
      const keys = some.map(([key, bytes]) => currentKey(keyOfAttachment(key, bytes)));
      const { records } = yield { keys, ranges: [] };
      const bytes = deleteAttached(id, { keys, records }, draft);
      count = nextLimit(count, bytes, { limit, bytesMax });
      deleted += keys.length;
    }
    if (rest === undefined) return deleted;
    ({
      ranges: [attached = []],
    } = yield { keys: [], ranges: [rest] });
    rest = restOf(rest, attached);
  }
}

/** @returns the bytes of what was there */
function deleteAttached(
  id: bigint,
  { keys, records }: { keys: readonly BinaryString[]; records: ReadSet['records'] },
  draft: RevisionDraft,
): number {
  let sum = 0;
  const stored = keys.map((recordKey, at): StoredRecord => {
    const bytes = records[at];
    if (bytes === undefined) throw corruptRecord(recordKey, 'a lease has a key that is not there');
    sum += bytes.length;
    return [recordKey, bytes];
  });
  const gone: KeyVersion[] = [];
  draft.delete(stored, gone);
  for (const version of gone) {
    if (version.lease === id) continue;
    throw corruptRecord(currentKey(version.key), `it is not attached to lease ${id}`);
  }
  return sum;
}

function placeOf({ place }: LeaseRun): LogPlace {
  assert(place !== undefined, 'lease commands are executed with their place in the log');
  return place;
}

function staleTerm(term: number): KontikiError {
  const message = `the leader of term ${term} said so, which is over`;
  return kontikiError('LEADER_CHANGED', message, { outcome: 'rejected' });
}
