/**
 * The wiring of a member around any state machine, on any environment, in the order that leaves
 * nothing behind when a step refuses. Checks come first, then the lock and the address, then what
 * peers say about this member; only then is the first byte of state written.
 */
import { replaceAdvice } from '../base/advice.js';
import { type KontikiError, kontikiError } from '../base/errors.js';
import type { Random } from '../base/prng.js';
import type { MemberInfo } from '../codec/member-codec.js';
import type { Env } from '../node/env.js';
import { NodeMeter } from '../node/metrics.js';
import { Node } from '../node/node.js';
import type { JoiningInfo } from '../node/node-options.js';
import type { PeerMemory } from '../node/peer-registry.js';
import type { StateMachine } from '../node/state-machine.js';
import type { MemberId } from '../raft/types.js';
import type { LogStore } from '../storage/log-store.js';
import { MemoryLogStore } from '../storage/memory/log-store.js';
import { SnapshotFiles } from '../storage/snapshot-files/store.js';
import type { SnapshotStore } from '../storage/snapshot-store.js';
import { appliedProblem } from '../storage/wal/applied-problem.js';
import { openWal, readWal } from '../storage/wal/index.js';
import type { MemberIdentity } from '../transport/transport.js';
import type { Cleanup } from './cleanup.js';
import { DataDirectory, newDirId, tokenHash } from './data-directory.js';
import { founderInfo, foundingState } from './founding-state.js';
import { type Joined, joinGroup } from './join-group.js';
import type { StoreConfig } from './store-config.js';
import { watchedSync } from './watched-sync.js';

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
  readonly joining?: JoiningInfo | undefined;
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
 *   PORT_IN_USE, TRANSPORT_IO, MEMBER_IDENTITY_CHANGED, MEMBER_ROLLED_BACK before anything is written;
 *   WAL_CORRUPT, STATE_CORRUPT, FORMAT_UNSUPPORTED, STORAGE_IO, NO_SPACE
 * @since 0.1.0
 */
export async function openMember<M extends StateMachine>(
  env: Env,
  config: StoreConfig,
  openState: OpenState<M>,
  cleanup: Cleanup,
): Promise<{ readonly node: Node; readonly machine: M }> {
  const meter = new NodeMeter();
  const { identity, state, log, snapshots, peerMemory, joining } =
    config.dir === undefined
      ? await openInMemory(env, config, openState, cleanup)
      : await openDirectory(env, config, { path: config.dir, openState, cleanup, meter });
  const { machine, failed } = state;
  const { tickMs, heartbeatTicks, electionTicks } = config;
  const ticks = { tickMs, heartbeatTicks, electionTicks };
  const { retention, snapshotChunkBytes } = config.tuning ?? {};
  const { snapshotBytesPerSecond = config.snapshotBytesPerSecond } = config.tuning ?? {};
  const transfer = { snapshotBytesPerSecond, snapshotChunkBytes };
  const storage = { log, snapshots, retention, stateMachine: machine, peerMemory, joining, meter };
  const node = await Node.open({ env, identity, ...storage, ...ticks, ...transfer });
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
    // Always alone: whoever has no directory takes nobody in.
    log: new MemoryLogStore({ ...foundingState(config.members), forgetsApplied: true }),
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
    readonly meter: NodeMeter;
  },
): Promise<MemberParts<M>> {
  const { path, openState, cleanup, meter } = place;
  const look = await DataDirectory.inspect(env.fs, path, config);
  cleanup.add(await look.lock());
  // Until the lock was taken another owner may have made it something else.
  const directory = await DataDirectory.inspect(env.fs, path, config);
  await directory.syncNames();
  await env.transport.listen();
  cleanup.add(() => env.transport.close());
  const isNew = directory.identity === undefined;
  const joined =
    isNew && config.bootstrap === 'existing' ? await joinGroup(env, config) : undefined;
  const founders = foundersOf(directory, config, joined);
  const identity = directory.identity ?? newIdentity(joined ?? config, env.random);
  if (joined !== undefined) env.transport.updatePeers(addressesOf(joined));
  const ownAddress = joined && addressOf(joined.members.find(({ id }) => id === identity.memberId));
  // Others may not have heard of one that joins, and can answer it, or trust it, only there.
  const told = ownAddress === undefined ? identity : { ...identity, address: ownAddress };
  if (isNew) await env.transport.probe(told);
  // Before the log: the engine holds a lock of the kernel, which nobody else's mistake can take.
  const state = await openState(env, path, cleanup);
  const { appliedIndex: applied } = state;
  const watch = watchedSync(env, meter, identity.memberId);
  const log = await openLog(env, config, { path, applied, isNew, founders, watch });
  cleanup.add(() => log.close());
  const snapshots = await openSnapshots(env, path, log);
  cleanup.add(() => snapshots.close());
  // Only now: whatever refuses to open has changed nothing.
  await state.retire?.();
  if (isNew) await directory.initialize(identity, founders);
  const joining = { token: tokenHash(config.token), founders: founders.map(founderInfo) };
  const peerMemory = directory.peerMemory(env.random);
  return { identity: told, state, log, snapshots, joining, peerMemory };
}

/**
 * The members the group was started with. Directories of before addresses were kept have those of the
 * options.
 */
function foundersOf(
  directory: DataDirectory,
  config: StoreConfig,
  joined: Joined | undefined,
): StoreConfig['members'] {
  if (joined !== undefined) {
    return joined.founders.map((each) => ({
      id: each.id,
      name: each.name,
      address: addressOf(each),
    }));
  }
  if (directory.identity === undefined) return config.members;
  return directory.founders.map(({ id, name, address }) => {
    return { id, name, address: address ?? config.members.find((each) => each.id === id)?.address };
  });
}

/** Of a member as it is told: one that nobody can reach has an empty one there, and none here. */
function addressOf(member: MemberInfo | undefined): string | undefined {
  return member?.address || undefined;
}

function newIdentity(
  { clusterId, memberId }: { readonly clusterId: number; readonly memberId: MemberId },
  random: Random,
): MemberIdentity {
  return { clusterId, memberId, dirId: newDirId(random) };
}

/** Whom one that joins asks whether they would take it. */
function addressesOf({ memberId, members }: Joined): ReadonlyMap<MemberId, string | undefined> {
  const others = members.filter(({ id }) => id !== memberId);
  return new Map(others.map((each) => [each.id, addressOf(each)]));
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
  place: {
    readonly path: string;
    readonly applied: number;
    readonly isNew: boolean;
    readonly founders: StoreConfig['members'];
    readonly watch: (persist: () => Promise<void>) => Promise<void>;
  },
): Promise<LogStore> {
  const { path, applied, founders, isNew, watch } = place;
  // Beside a member file a missing log was lost: a new one would forget votes and acknowledgements.
  const { logCacheBytes: cacheBytes, segmentBytes } = config.tuning ?? {};
  const sizes = { cacheBytes, segmentBytes };
  const founded = foundingState(founders);
  const options = { ...founded, fs: env.fs, dir: `${path}/wal`, applied, create: isNew, ...sizes };
  if (isNew && (await env.fs.list(options.dir)).length > 0) {
    // Only read: who refuses leaves every byte as it was.
    const { history } = await readWal(options);
    if (history.terms.last > 0 || history.hardState.term > 0) {
      throw kontikiError(
        'STATE_CORRUPT',
        `openStore: expected member.json beside the log in ${path}, found none; ${replaceAdvice}`,
      );
    }
    // Who has applied entries had a log with them.
    const problem = appliedProblem(history, options.dir, applied);
    if (problem !== undefined) throw problem;
    await env.fs.remove(options.dir);
  }
  return openWal({ ...options, watch });
}
