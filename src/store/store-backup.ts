/**
 * Captures a member's state for a backup: in one turn, so that revision, applied index and records are
 * of one moment, while writes go on.
 */

import { Backup, type BackupParts, type BackupSource, type Checksums } from '../backup/backup.js';
import { BackgroundPace } from '../base/background-pace.js';
import type { Clock, Timers } from '../base/clock.js';
import { crc32 } from '../base/crc32.js';
import { isKontikiError, type KontikiError, kontikiError } from '../base/errors.js';
import { Sha256 } from '../base/sha256.js';
import { sleep } from '../base/sleep.js';
import type { Node } from '../node/index.js';
import { callOptionNames, checkBoolean, checkCallOptions, checkOptions } from './arguments.js';
import type { CallOptions } from './kv-client.js';
import type { StoreStateMachine } from './state-machine.js';

/** @since 0.1.0 */
export interface BackupOptions extends CallOptions {
  /**
   * Take what is here without asking anyone: all that is left when no leader is, and perhaps less than
   * was acknowledged. Default false: everything acknowledged before the first chunk is in it.
   */
  readonly serializable?: boolean | undefined;
}

/** @since 0.1.0 */
export interface StoreBackupParts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly node: Pick<Node, 'identity' | 'status'>;
  readonly machine: StoreStateMachine;
  /** Of the platform; default portable code. */
  readonly checksums?: Checksums | undefined;
  /** Waits until everything acknowledged before is applied here, or, if `isLocal`, for nothing. */
  readonly catchUp: (options: CallOptions, isLocal: boolean) => Promise<void>;
  /** Why nobody may take this member's state for its own, if so. */
  readonly refusal: () => KontikiError | undefined;
}

/** Somebody waits for it: a fifth of the time. */
const restsPerWork = 4;
const portable: Checksums = { crc32, sha256: () => new Sha256() };

/**
 * @throws {KontikiError} ARGUMENT_INVALID
 * @since 0.1.0
 */
export function backupOf(parts: StoreBackupParts, options: BackupOptions): Backup {
  checkOptions(options, [...callOptionNames, 'serializable'], 'backup');
  checkCallOptions(options);
  const { serializable = false, signal } = options;
  checkBoolean(serializable, 'serializable');
  const { catchUp, checksums = portable } = parts;
  const open = async (): Promise<BackupSource> => {
    await catchUp(options, serializable);
    return capture(parts);
  };
  return new Backup({ ...checksums, open, paced: pacedBy(parts, signal), signal });
}

/** What whoever takes the chunks does in between is a rest, too. */
function pacedBy(
  { clock, machine, timers }: StoreBackupParts,
  signal: AbortSignal | undefined,
): BackupParts['paced'] {
  const pace = new BackgroundPace({ clock, served: () => machine.appliedIndex, restsPerWork });
  let dueMs = 0;
  return async (make) => {
    const ms = dueMs - clock.monotonicMs();
    if (ms > 0) await sleep(timers, ms, signal);
    signal?.throwIfAborted();
    pace.begin();
    const made = await make();
    dueMs = clock.monotonicMs() + pace.restMs();
    return made;
  };
}

function capture({ machine, node, refusal }: StoreBackupParts): BackupSource {
  const { backend } = machine;
  const { revision } = machine.keyspace;
  const state = machine.snapshot();
  const { appliedIndex } = state;
  const { clusterId } = node.identity;
  return {
    info: { clusterId, revision, appliedIndex, term: node.status.raft.term },
    next: async () => {
      try {
        const chunk = await state.next();
        // Before the end as well: what is sealed is trusted.
        const wrong = refusal();
        if (wrong !== undefined) throw wrong;
        return chunk;
      } catch (error) {
        if (machine.backend === backend || !isKontikiError(error, 'CLOSED')) throw error;
        throw replaced();
      }
    },
    close: () => state.close(),
  };
}

function replaced(): KontikiError {
  const what = 'this member took a snapshot of its leader in place of its state';
  return kontikiError('OVERTAKEN', `backup: ${what} while it was read; take another backup`);
}
