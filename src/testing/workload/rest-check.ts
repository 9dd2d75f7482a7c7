/**
 * Looks at the stores of a group at rest, each by itself: they hold what the log says, at every
 * revision that can be asked for, and tell all of it to those who watch (S5, M3, M5, M6, W4, W11).
 */
import { isKontikiError } from '../../base/errors.js';
import type { KeyVersion } from '../../mvcc/types.js';
import type { Store } from '../../store/store.js';
import type { KeyspaceState } from '../checkers/keyspace-state.js';
import { agrees } from '../checkers/observed.js';
import type { WorkloadContext } from '../run/workload.js';
import { RevisionHistory, watchFinding } from './check-watch.js';
import { versionOf } from './store-call.js';
import { addBatch, type WatchRecord } from './watch-record.js';

/** Virtual milliseconds that reading a store may take. */
const patienceMs = 20_000;

/** Every key of the workload, and more. */
const allKeys = { from: 'a', to: 'z' } as const;

/**
 * Compares each store that runs with the log.
 *
 * @param context - of the run; nobody writes any more
 * @param state - after the whole log
 * @since 0.1.0
 */
export async function checkAtRest(
  context: WorkloadContext<Store>,
  state: KeyspaceState,
): Promise<void> {
  const { cluster } = context;
  const history = new RevisionHistory(state);
  const open = new Set(cluster.running);
  const checks = cluster.running.map(async (name) => {
    const { revision } = cluster.service(name).status();
    if (revision === state.revision) {
      const store = cluster.service(name);
      await checkContents({ name, store, violated: context.violated }, state);
      const told = checkTold(context, name, history, state);
      await told.catch((error: unknown) => checkCompacted(error, state));
    } else {
      const message = `${name} is at revision ${revision}, the log at ${state.revision}`;
      context.violated('M1', message);
    }
    open.delete(name);
  });
  await cluster.sim.complete(Promise.all(checks), patienceMs).catch((error: unknown) => {
    if (!isKontikiError(error, 'TIMEOUT')) throw error;
    context.violated('X5', `${[...open].join(', ')} did not answer in ${patienceMs} ms`);
  });
  checkHashes(context);
}

/** The oldest readable revision, the newest, and those around them. */
function* revisionsOf({ compactRevision, revision }: KeyspaceState): Generator<number> {
  const oldest = Math.max(1, compactRevision);
  const some = [oldest, oldest + 1, Math.floor((oldest + revision) / 2), revision - 1, revision];
  for (const one of new Set(some)) if (one >= oldest && one <= revision) yield one;
}

/**
 * Compares what a store holds, at revisions old and new, with what it is to hold.
 *
 * @param place.violated - told of a difference
 * @param state - of its revision
 * @since 0.1.0
 */
export async function checkContents(
  {
    name,
    store,
    violated,
  }: Pick<WorkloadContext<Store>, 'violated'> & {
    readonly name: string;
    readonly store: Store;
  },
  state: KeyspaceState,
): Promise<void> {
  for (const revision of revisionsOf(state)) {
    const kvs = await store
      .range({ ...allKeys, revision })
      .then((found) => found.kvs)
      .catch((error: unknown) => checkCompacted(error, state));
    if (kvs === undefined) continue;
    const found: readonly KeyVersion[] = kvs.map(versionOf);
    const expected = state.past.get(revision)?.range() ?? [];
    if (agrees(expected, found)) continue;
    const at = expected.findIndex((version, place) => !agrees(version, found[place]));
    const key = expected[at]?.key ?? found[expected.length]?.key;
    const counts = `${found.length} keys of ${expected.length}`;
    violated('M3', `${name} at revision ${revision}: ${counts}, the first wrong is ${key}`);
  }
}

/** A leader that keeps little history goes on compacting it, at rest as well. */
function checkCompacted(error: unknown, { compactRevision }: KeyspaceState): undefined {
  const isSince = isKontikiError(error, 'COMPACTED') && error.compactRevision > compactRevision;
  if (!isSince) throw error;
}

async function checkTold(
  context: WorkloadContext<Store>,
  name: string,
  history: RevisionHistory,
  { compactRevision, revision }: KeyspaceState,
): Promise<void> {
  const fromRevision = Math.max(1, compactRevision);
  const record: WatchRecord = {
    member: name,
    keys: { gte: allKeys.from, lt: allKeys.to },
    filter: {},
    fromRevision,
    changes: [],
    batches: [],
  };
  const options = { fromRevision, progressMs: 100 };
  for await (const batch of context.cluster.service(name).watch(allKeys, options)) {
    addBatch(record, batch);
    if (batch.revision >= revision) break;
  }
  const finding = watchFinding(record, history);
  if (finding !== undefined) context.violated(finding.id, finding.message);
}

/** At an index that two members tell of, they held the same. */
function checkHashes({ cluster, violated }: WorkloadContext<Store>): void {
  const known = new Map<number, { readonly hash: string; readonly by: string }>();
  for (const name of cluster.running) {
    for (const { index, hash } of cluster.service(name).stateHashes()) {
      const first = known.get(index);
      if (first === undefined) known.set(index, { hash, by: name });
      else if (first.hash !== hash) {
        violated('M6', `${name} and ${first.by} have other state hashes at entry ${index}`);
      }
    }
  }
}
