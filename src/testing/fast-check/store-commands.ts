/** What a client of a store does: commands whose answers are held against the model of the keyspace. */
import fc from 'fast-check';
import { utf8Bytes } from '../../base/bytes.js';
import { cmp, op } from '../../store/operations.js';
import type { Store } from '../../store/store.js';
import type { KeyspaceInput, KeyspaceOutput } from '../checkers/keyspace-model.js';
import type { SimCluster } from '../cluster/sim-cluster.js';
import { refusalOf } from '../workload/draw-store-call.js';
import { versionOf } from '../workload/store-call.js';
import { ClusterCommand } from './cluster-command.js';
import { type CommandHistory, runningAt } from './command-history.js';
import { checkReplay } from './watch-replay.js';

/** A command of {@link storeCommands}. @since 0.1.0 */
export type StoreCommand = ClusterCommand<Store, KeyspaceInput, KeyspaceOutput>;

type History = CommandHistory<KeyspaceInput, KeyspaceOutput>;
type Cluster = SimCluster<Store>;

const everything = { gte: 'k', lt: 'l' } as const;
const ttlSeconds = 5;

/** Put, Delete, Get, Txn, Lease and Watch on few keys, through any member. @since 0.1.0 */
export function storeCommands(): fc.Arbitrary<StoreCommand>[] {
  const fcMember = fc.nat({ max: 6 });
  const fcKey = fc.constantFrom('k0', 'k1', 'k2');
  const fcLease = fc.constantFrom(undefined, undefined, 1n, 2n);
  const fcPut = fc.record({
    member: fcMember,
    key: fcKey,
    value: fc.nat({ max: 99 }),
    lease: fcLease,
  });
  const fcTxn = fc.record({ member: fcMember, key: fcKey, version: fc.nat({ max: 3 }) });
  return [
    fcPut.map(putCommand),
    fc.tuple(fcMember, fcKey).map(([member, key]) => getCommand(member, key)),
    fc.tuple(fcMember, fcKey).map(([member, key]) => deleteCommand(member, key)),
    fcTxn.map(txnCommand),
    fc.tuple(fcMember, fc.constantFrom(1n, 2n)).map(([member, id]) => leaseCommand(member, id)),
    fcMember.map(watchCommand),
  ];
}

function asking(
  text: string,
  member: number,
  call: {
    readonly input: KeyspaceInput;
    readonly run: (store: Store) => Promise<KeyspaceOutput>;
    /** What may happen by itself from then on, even when the call is never answered. */
    readonly mayBring?: KeyspaceInput;
  },
): StoreCommand {
  const { input, run, mayBring } = call;
  return new ClusterCommand(`${text} by ${member}`, async (history: History, cluster: Cluster) => {
    if (cluster.running.length === 0) return;
    if (mayBring !== undefined) history.mayHappen(mayBring);
    await history.call(cluster, member, { input, run, refusal: refusalOf });
  });
}

/** Puts a key. @since 0.1.0 */
export function putCommand(put: {
  readonly member: number;
  readonly key: string;
  readonly value: number;
  readonly lease: bigint | undefined;
}): StoreCommand {
  const { member, key, value, lease } = put;
  const text = `Put(${key}, ${value}${lease === undefined ? '' : `, lease ${lease}`})`;
  return asking(text, member, {
    input: { op: 'put', key, value: utf8Bytes(String(value)), lease, previous: true },
    run: async (store) => {
      const { revision, previous } = await store.put(key, String(value), { lease, previous: true });
      return { op: 'put', revision, previous: previous && versionOf(previous) };
    },
  });
}

/** Reads a key. @since 0.1.0 */
export function getCommand(member: number, key: string): StoreCommand {
  return asking(`Get(${key})`, member, {
    input: { op: 'range', keys: { gte: key, lt: `${key}\0` } },
    run: async (store) => {
      const { kv, revision } = await store.getWithRevision(key);
      return { op: 'range', revision, kvs: kv === undefined ? [] : [versionOf(kv)] };
    },
  });
}

function deleteCommand(member: number, key: string): StoreCommand {
  return asking(`Delete(${key})`, member, {
    input: { op: 'delete', keys: { gte: key, lt: `${key}\0` } },
    run: async (store) => ({ op: 'delete', ...(await store.delete(key)) }),
  });
}

/** Deletes a key that is old enough, else puts it. */
function txnCommand(txn: {
  readonly member: number;
  readonly key: string;
  readonly version: number;
}): StoreCommand {
  const { member, key, version } = txn;
  const compares = [cmp.version(key).gt(version)];
  const [success, failure] = [op.delete(key), op.put(key, `txn ${version}`)];
  return asking(`Txn(${key} > ${version})`, member, {
    input: {
      ...{ op: 'txn', compares },
      ...{ success: [success.operation], failure: [failure.operation] },
    },
    run: async (store) => {
      const answer = store
        .txn()
        .if(...compares)
        .do(success)
        .else(failure)
        .commit();
      const { succeeded, revision } = await answer;
      return { op: 'txn', succeeded, revision };
    },
  });
}

/** Grants a lease that may run out. @since 0.1.0 */
export function leaseCommand(member: number, id: bigint): StoreCommand {
  return asking(`Lease(${id})`, member, {
    input: { op: 'lease-grant', id, ttlSeconds },
    run: async (store) => {
      await store.lease(ttlSeconds, { id });
      return { op: 'lease-grant', lease: { id } };
    },
    // Nobody keeps it alive.
    mayBring: { op: 'lease-revoke', id },
  });
}

/** Follows all that ever happened, up to what a read has shown, and compares where both arrive. */
function watchCommand(member: number): StoreCommand {
  return new ClusterCommand(`Watch by ${member}`, async (history: History, cluster: Cluster) => {
    if (cluster.running.length === 0) return;
    const output = await history.call(cluster, member, {
      input: { op: 'range', keys: everything },
      run: async (store) => {
        const answer = await store.range({ from: everything.gte, to: everything.lt });
        const { kvs, more, revision } = answer;
        return { op: 'range', kvs: kvs.map(versionOf), more, revision };
      },
    });
    if (output === undefined || !('kvs' in output)) return;
    await checkReplay(cluster, runningAt(cluster, member), output);
  });
}
