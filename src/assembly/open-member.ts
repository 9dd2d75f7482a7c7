/**
 * The wiring of a member around any state machine, on any environment, in the order that leaves
 * nothing behind when a step refuses. Checks come first, then the lock and the address, then what
 * peers say about this member; only then is the first byte of state written.
 */
import { replaceAdvice } from '../base/advice.js';
import { type KontikiError, kontikiError } from '../base/errors.js';
import type { Env } from '../node/env.js';
import { Node } from '../node/node.js';
import type { PeerMemory } from '../node/peer-registry.js';
import type { StateMachine } from '../node/state-machine.js';
import type { LogStore } from '../storage/log-store.js';
import { MemoryLogStore } from '../storage/memory/log-store.js';
import { SnapshotFiles } from '../storage/snapshot-files/store.js';
import type { SnapshotStore } from '../storage/snapshot-store.js';
import { openWal, readWal } from '../storage/wal/index.js';
import type { MemberIdentity } from '../transport/transport.js';
import type { Cleanup } from './cleanup.js';
import { DataDirectory, newDirId } from './data-directory.js';
import type { StoreConfig } from './store-config.js';

/** A state machine on its durable state, before the node opens it. @since 0.1.0 */
export interface MemberState<M extends StateMachine> {
  readonly machine: M;
  /** Applied index of the durable state, which the log must reach. */
  readonly appliedIndex: number;
  /** Resolves once nothing becomes durable any more; default never. */
  readonly failed?: Promise<KontikiError> | undefined;
  /** Removes what an earlier life left over: called once nothing can refuse any more. */
  retire?(): Promise<void>;
}

/**
 * Finds the state of a member.
 *
 * @param dir - the data directory, locked; `undefined`: in memory
 * @param cleanup - takes what undoes it, should the member not open
 * @since 0.1.0
 */
export type OpenState<M extends StateMachine> = (
  env: Env,
  dir: string | undefined,
  cleanup: Cleanup,
) => Promise<MemberState<M>>;

/** What a member stands on. */
interface MemberParts<M extends StateMachine> {
  readonly identity: MemberIdentity;
  readonly state: MemberState<M>;
  readonly log: LogStore;
  /** Absent in memory, where nobody can be behind. */
  readonly snapshots?: SnapshotStore | undefined;
  readonly peerMemory: PeerMemory;
}

/**
 * Opens one member of a group. It resolves when the member is open; a leader may not be known yet.
 *
 * @param env - everything outside; its transport must be made for `config`
 * @param config - from `storeConfig`
 * @param openState - gives the state machine
 * @param cleanup - takes what undoes all of it; the caller runs it when this rejects, and once the
 *   node is closed
 * @throws {KontikiError} DIR_REQUIRED, MEMBER_UNKNOWN, MEMBER_MISMATCH, CLUSTER_MISMATCH, DIR_LOCKED,
 *   PORT_IN_USE, TRANSPORT_IO, MEMBER_IDENTITY_CHANGED before anything is written; WAL_CORRUPT,
 *   STATE_CORRUPT, FORMAT_UNSUPPORTED, STORAGE_IO, NO_SPACE
 * @since 0.1.0
 */
export async function openMember<M extends StateMachine>(
  env: Env,
  config: StoreConfig,
  openState: OpenState<M>,
  cleanup: Cleanup,
): Promise<{ readonly node: Node; readonly machine: M }> {
  const { identity, state, log, snapshots, peerMemory } =
    config.dir === undefined
      ? await openInMemory(env, config, openState, cleanup)
      : await openDirectory(env, config, { path: config.dir, openState, cleanup });
  const { machine, failed } = state;
  const { tickMs, heartbeatTicks, electionTicks } = config;
  const ticks = { tickMs, heartbeatTicks, electionTicks };
  const retention = config.tuning?.retention;
  const storage = { log, snapshots, retention, stateMachine: machine, peerMemory };
  const node = await Node.open({ env, identity, ...storage, ...ticks });
  // An idle member would otherwise learn of it only with its next write.
  void failed?.then((error) => node.fail(error));
  return { node, machine };
}

async function openInMemory<M extends StateMachine>(
  env: Env,
  config: StoreConfig,
  openState: OpenState<M>,
  cleanup: Cleanup,
): Promise<MemberParts<M>> {
  const { clusterId, memberId } = config;
  await env.transport.listen();
  cleanup.add(() => env.transport.close());
  return {
    identity: { clusterId, memberId, dirId: newDirId(env.random) },
    log: new MemoryLogStore({ voters: [memberId] }),
    state: await openState(env, undefined, cleanup),
    peerMemory: { load: () => new Map(), save: async () => undefined },
  };
}

async function openDirectory<M extends StateMachine>(
  env: Env,
  config: StoreConfig,
  place: {
    readonly path: string;
    readonly openState: OpenState<M>;
    readonly cleanup: Cleanup;
  },
): Promise<MemberParts<M>> {
  const { path, openState, cleanup } = place;
  const look = await DataDirectory.inspect(env.fs, path, config);
  cleanup.add(await look.lock());
  // Until the lock was taken another owner may have made it something else.
  const directory = await DataDirectory.inspect(env.fs, path, config);
  await env.transport.listen();
  cleanup.add(() => env.transport.close());
  const identity = directory.identity ?? directory.newIdentity(env.random);
  const isNew = directory.identity === undefined;
  if (isNew) await env.transport.probe(identity);
  // Before the log: the engine holds a lock of the kernel, which nobody else's mistake can take.
  const state = await openState(env, path, cleanup);
  const log = await openLog(env, config, { path, applied: state.appliedIndex, isNew });
  cleanup.add(() => log.close());
  const snapshots = await openSnapshots(env, path, log);
  cleanup.add(() => snapshots.close());
  // Only now: whatever refuses to open has changed nothing.
  await state.retire?.();
  if (isNew) await directory.initialize(identity);
  return { identity, state, log, snapshots, peerMemory: directory.peerMemory() };
}

/** Those of an install that a crash cut short included: the node finishes it. */
async function openSnapshots(env: Env, path: string, log: LogStore): Promise<SnapshotStore> {
  const { fs, sha256 } = env;
  const snapshots = await SnapshotFiles.open({ fs, dir: `${path}/snapshots`, sha256 });
  if (log.installing === undefined) await snapshots.prune();
  return snapshots;
}

/**
 * A directory without a member file is new, or its first start was cut short before anything was
 * promised; a log that this left is started over, because that start may have been told of other
 * members. A log that has been used says that the file was lost, and with it who this member is.
 */
async function openLog(
  env: Env,
  config: StoreConfig,
  place: { readonly path: string; readonly applied: number; readonly isNew: boolean },
): Promise<LogStore> {
  const { path, applied, isNew } = place;
  const voters = config.members.map((member) => member.id);
  // Beside a member file a missing log was lost: a new one would forget votes and acknowledgements.
  const { segmentBytes } = config.tuning ?? {};
  const options = { fs: env.fs, dir: `${path}/wal`, voters, applied, create: isNew, segmentBytes };
  if (isNew && (await env.fs.list(options.dir)).length > 0) {
    // Only read: who refuses leaves every byte as it was.
    const { history } = await readWal(options);
    if (history.terms.last > 0 || history.hardState.term > 0) {
      throw kontikiError(
        'STATE_CORRUPT',
        `openStore: expected member.json beside the log in ${path}, found none; ${replaceAdvice}`,
      );
    }
    await env.fs.remove(options.dir);
  }
  return openWal(options);
}
