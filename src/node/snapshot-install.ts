/**
 * Puts a received snapshot in the place of log and state machine, in steps of which each leaves
 * something that the next open can finish (DESIGN §4.14):
 *
 *     stop apply, flush | snapshot file durable | log: installing | new state durable, switched to |
 *     log: installed | acknowledge
 */
import { replaceAdvice } from '../base/advice.js';
import { isKontikiError, kontikiError } from '../base/errors.js';
import type { ConfState } from '../raft/configuration.js';
import type { StorageAppend } from '../raft/ready.js';
import type { LogId } from '../raft/types.js';
import type { LogStore } from '../storage/log-store.js';
import type { SnapshotStore } from '../storage/snapshot-store.js';
import type { ApplyLoop } from './apply-loop.js';
import type { StateMachine } from './state-machine.js';

/** @since 0.1.0 */
export interface SnapshotInstallParts {
  readonly log: LogStore;
  readonly machine: StateMachine;
  readonly store: SnapshotStore;
}

/**
 * Carries out a write with a snapshot. When it resolves, log and state machine durably stand at it.
 *
 * @param append - has a snapshot, which is in the store
 * @throws {KontikiError} what the store, the log or the state machine throws: the member must stop
 * @since 0.1.0
 */
export function installSnapshot(
  parts: SnapshotInstallParts & {
    readonly apply: ApplyLoop;
    /** Told of the members, before anything else is done with the state machine. */
    readonly onRestored?: (configuration: ConfState) => void;
    /** Waits before a state for which there was no space is tried again; rejects when nobody can wait. */
    readonly pause: () => Promise<void>;
  },
  append: StorageAppend,
): Promise<void> {
  const { apply, log, machine } = parts;
  const { entries, hardState, snapshot } = append;
  if (snapshot === undefined) return Promise.resolve();
  const { last, configuration } = snapshot;
  return apply.exclusive(async () => {
    // What is still being flushed belongs to the state that goes.
    await machine.flush();
    const mark = { snapshot: { last, configuration }, entries, mustSync: true };
    await log.append(hardState === undefined ? mark : { ...mark, hardState });
    await restoreOnceThereIsSpace(parts, last);
    await log.installed(last);
    parts.onRestored?.(configuration);
  });
}

async function restoreOnceThereIsSpace(
  parts: SnapshotInstallParts & { readonly pause: () => Promise<void> },
  last: LogId,
): Promise<void> {
  for (;;) {
    try {
      return await restoreFrom(parts, last);
    } catch (error) {
      if (!isKontikiError(error, 'NO_SPACE')) throw error;
      await parts.pause();
    }
  }
}

/**
 * Finishes an install that a crash cut short, before anything else is done with log and state.
 *
 * @param parts - opened
 * @param appliedIndex - last entry in the state machine
 * @returns last entry in the state machine from here on
 * @throws {KontikiError} SNAPSHOT_CORRUPT, STATE_CORRUPT, when the snapshot is not there any more; and
 *   what the log or the state machine throws
 * @since 0.1.0
 */
export async function finishInstall(
  parts: Pick<SnapshotInstallParts, 'log' | 'machine'> & {
    readonly store: SnapshotStore | undefined;
  },
  appliedIndex: number,
): Promise<number> {
  const { log, machine, store } = parts;
  const last = log.installing?.last;
  if (last === undefined) return appliedIndex;
  // The state was switched before the crash if it is at the snapshot: nothing is applied earlier.
  if (appliedIndex < last.index)
    await restoreFrom({ log, machine, store: needed(store, last) }, last);
  await log.installed(last);
  return Math.max(appliedIndex, last.index);
}

function needed(store: SnapshotStore | undefined, { index }: LogId): SnapshotStore {
  if (store !== undefined) return store;
  const message = `node: the snapshot of entry ${index} is half installed; ${replaceAdvice}`;
  throw kontikiError('STATE_CORRUPT', message);
}

async function restoreFrom({ machine, store }: SnapshotInstallParts, last: LogId): Promise<void> {
  const all = await store.list();
  const meta = all.find((one) => one.last.index === last.index && one.last.term === last.term);
  if (meta === undefined || machine.restore === undefined) {
    throw kontikiError(
      'STATE_CORRUPT',
      `node: expected the snapshot of entry ${last.index}, which is being installed, found none; ` +
        replaceAdvice,
    );
  }
  await machine.restore(last.index, store.read(meta));
}
