/**
 * Every row of etcd's data model, watches, leases and guarantees (etcd parity §2, §3, §4, §12) has a
 * test, here by its file and the beginning of its name, or a reason why it has none in this process.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

type Place = readonly [file: string, name: string];
/** A reason: `server` for what only a server has, or what it waits for. */
type Row = Place | string;

const server = 'server: a field or an answer of the wire, without a counterpart in the library';
const later = 'waits for the cluster runtime';

const dataModel: Readonly<Record<string, Row>> = {
  '2.1 Store revision': ['store/parity.test.ts', 'revisions: 1 on an empty store'],
  '2.1 (main, sub)': [
    'mvcc/lease.test.ts',
    'revoke: exactly its keys, in key order, in one revision',
  ],
  '2.1 create_revision / version': ['store/parity.test.ts', 'a put after a delete begins anew'],
  '2.1 Key / value': ['store/store.test.ts', '%s: put, found, listed, watched, deleted'],
  '2.1 No-op writes': ['store/parity.test.ts', 'what changes nothing takes no revision'],
  '2.2 k': ['store/parity.test.ts', 'one key, not its continuations'],
  '2.2 `\\x00`': ['store/parity.test.ts', 'everything'],
};

const ranges: Readonly<Record<string, Row>> = {
  '2.3 revision': ['store/compaction.test.ts', 'the compacted revision reads, older ones do not'],
  '2.3 header.revision': [
    'store/parity.test.ts',
    'read at an old revision: the answer tells the newest',
  ],
  '2.3 serializable=false': [
    'store/store-ends.test.ts',
    'what one was told is written, any of them reads',
  ],
  '2.3 serializable=true': later,
  '2.3 limit / more / count': ['store/parity.test.ts', 'count is of all that is selected; more is'],
  '2.3 min/max_mod_revision, min/max_create_revision': [
    'store/parity.test.ts',
    'bounds are inclusive',
  ],
  '2.3 sort': ['store/parity.test.ts', 'a sort is of all matches before the limit'],
  '2.3 keys_only': ['store/parity.test.ts', 'keys alone: everything else is there, the lease too'],
  '2.3 count_only': ['store/txn.test.ts', 'order, bounds, keys alone, count alone'],
  '2.3 bad enum': ['store/parity.test.ts', 'an order there is not: %j'],
  // The first by name, sorted, is what nobody asks for: here an order without a target is of keys.
  '2.3 **Quirk**': ['store/parity.test.ts', 'a sort is of all matches before the limit'],
};

const writes: Readonly<Record<string, Row>> = {
  '2.4 lease≠0 unknown': ['store/lease.test.ts', 'a put to a lease that is not there'],
  '2.4 lease=0, no ignore_lease': [
    'mvcc/lease.test.ts',
    'a put moves a key from one lease to the next',
  ],
  '2.4 prev_kv': ['store/store.test.ts', 'a new key, then another version of it'],
  '2.4 ignore_value / ignore_lease with value / lease supplied': [
    'mvcc/limits.test.ts',
    'a value beside ignoreValue',
  ],
  '2.4 ignore_value or ignore_lease on a missing key': [
    'store/txn.test.ts',
    'ignoreValue: a new version',
  ],
  '2.4 empty key': ['store/arguments.test.ts', '%s -> KEY_EMPTY'],
  '2.6 Evaluation': ['store/parity.test.ts', 'no compare holds; a range sees the writes before it'],
  '2.6 Nested compares': ['store/parity.test.ts', 'nested ones: one revision for all'],
  '2.6 Pre-checks': ['store/parity.test.ts', 'refused before anything happens'],
  '2.6 Compare missing key': ['store/parity.test.ts', 'a missing key: all its numbers are 0'],
  '2.6 Range compare (range_end)': [
    'store/parity.test.ts',
    'a compare of a range: every key in it',
  ],
  '2.6 target_union absent/mismatched': server,
  '2.6 Revisions': ['store/parity.test.ts', 'nested ones: one revision for all'],
  '2.6 Static limits': ['mvcc/limits.test.ts', '%i inside one of 64: together at most 128'],
  '2.6 Duplicate rule': ['mvcc/duplicate-key.test.ts', 'any branch -> what comparing every two'],
  '2.6 Empty RequestOp union': server,
  '2.6 Read-only path': ['store/txn.test.ts', 'answers of one moment, and no entry in the log'],
  '2.6 Bump': ['store/parity.test.ts', 'what changes nothing takes no revision'],
  '2.7 revision ≤ last compacted': [
    'store/compaction.test.ts',
    'one below, at and above the current',
  ],
  '2.7 revision > current': ['store/compaction.test.ts', 'one below, at and above the current'],
  '2.7 ok': [
    'mvcc/incidents.test.ts',
    'compacted to %i: watchers that may still start see the delete',
  ],
  '2.7 physical=true': server,
  '2.7 Physical pass': ['store/compaction.test.ts', 'slices until nothing is left'],
  '2.7 Auto': later,
  '2.8 transport': server,
  '2.8 quota pre-check (Put, Txn, LeaseGrant; before field validation)': server,
  '2.8 backlog': ['node/node-ends.test.ts', 'more than the leader may hold unapplied'],
  '2.8 encoded proposal': ['store/arguments.test.ts', '1.5 MiB with everything around'],
  '2.8 wait': ['store/store-ends.test.ts', 'a deadline for a call that says none: 7 seconds'],
};

const watches: Readonly<Record<string, Row>> = {
  '3.1 create.key empty': server,
  '3.1 create.start_revision': [
    'store/watch.test.ts',
    'from the future: waits, and tells its start',
  ],
  '3.1 create.watch_id': server,
  '3.1 create.filters': ['store/watch-options.test.ts', '%s: the same live and from history'],
  '3.1 create.prev_kv': [
    'store/watch-options.test.ts',
    'a creation: createRevision equals modRevision',
  ],
  '3.1 create.progress_notify': ['store/watch-options.test.ts', 'ticks: one bookmark per interval'],
  '3.1 create.fragment': ['store/watch-options.test.ts', 'asked for: pieces in order'],
  '3.1 cancel.watch_id': ['store/watch.test.ts', 'close: a waiting next() is done'],
  '3.1 progress_request': ['store/watch-options.test.ts', 'asked for while history is read'],
  '3.1 malformed / empty union': server,
  '3.2 Created': ['store/watch.test.ts', 'it answers or throws at once: the same'],
  '3.2 Refused': ['mvcc/watch-hub.test.ts', '%s -> refused, nothing registered'],
  '3.2 start < compacted revision, or watcher fell behind a compaction': [
    'store/watch-compaction.test.ts',
    'compacted at %i: from there all',
  ],
  '3.2 Events': ['store/parity.test.ts', 'an event of a delete has a key and the revision alone'],
  '3.2 header.revision': ['store/parity.test.ts', 'a transaction comes in one batch, whole'],
  '3.2 Stream end': ['store/watch.test.ts', 'abort: the waiting next() throws the reason'],
  '3.3 synced group': ['mvcc/watch-properties.test.ts', 'any schedule: W1 to W10'],
  '3.3 unsynced group': ['mvcc/watch-properties.test.ts', 'any schedule: W1 to W10'],
  '3.3 victims': ['mvcc/watch-incidents.test.ts', '20 lagging watchers beside one that keeps up'],
  '3.3 after snapshot restore': [
    'store/state-restore.test.ts',
    'a watcher -> reads what it missed',
  ],
  '3.3 one stream, many watchers': server,
  '3.3 auth': server,
  '3.3 Go client expectations': server,
};

const leases: Readonly<Record<string, Row>> = {
  '4 Grant ID': ['store/lease.test.ts', 'leases: all of them, by id; any int64 but 0'],
  '4 Grant TTL': ['store/lease.test.ts', 'a TTL below the least: raised'],
  '4 Storage': ['mvcc/lease.test.ts', 'leases are read, user keys and attachments are not'],
  '4 Revoke': ['mvcc/lease.test.ts', 'revoke of a lease without keys: no new revision'],
  '4 KeepAlive': ['store/lease.test.ts', 'granted and kept alive through a follower'],
  '4 KeepAlive errors': ['store/lease.test.ts', 'nobody leads: a keep-alive times out'],
  '4 TimeToLive': ['store/lease.test.ts', 'timeToLive: what is left, and the keys in order'],
  // By id and as of now, where etcd lists by what is left, as far as the member knows.
  '4 Leases': ['store/lease.test.ts', 'leases: all of them, by id; any int64 but 0'],
  '4 Expiry loop': ['store/lease-expiry.test.ts', 'no more revokes under way than the limit'],
  '4 Leader change': ['store/lease.test.ts', 'the leader dies: the lease is not shortened'],
  '4 Checkpointing': [
    'store/lease.test.ts',
    'a keep-alive after a checkpoint: the reset is applied',
  ],
  '4 Attach/detach': ['mvcc/lease.test.ts', 'a put moves a key from one lease to the next'],
  '4 Quota': server,
  '4 Client behaviour': ['store/lease.test.ts', 'keepAlive option: lives as long as the store'],
};

const guarantees: Readonly<Record<string, Row>> = {
  '12 Atomicity': ['store/parity.test.ts', 'a transaction comes in one batch, whole'],
  '12 Durability': ['store/store-ends.test.ts', 'what was written is durable afterwards'],
  '12 Isolation': ['store/txn.test.ts', 'a counter that many raise at once: none is lost'],
  '12 Consistency': ['store/store-ends.test.ts', 'a read that began while it was away'],
  '12 Unknown outcome': ['store/store-ends.test.ts', 'the write that finds out: unknown'],
  '12 Watch: ordered': ['mvcc/watch-properties.test.ts', 'any schedule: W1 to W10'],
  '12 Watch: unique': ['mvcc/watch-properties.test.ts', 'any schedule: W1 to W10'],
  '12 Watch: reliable': ['mvcc/watch-properties.test.ts', 'any schedule: W1 to W10'],
  '12 Watch: atomic': ['mvcc/watch-properties.test.ts', 'any schedule: W1 to W10'],
  '12 Watch: resumable': ['mvcc/watch-properties.test.ts', 'any schedule: W1 to W10'],
  '12 Watch: bookmark': ['mvcc/watch-properties.test.ts', 'any schedule: W1 to W10'],
  '12 Lease': ['store/lease-random.test.ts', 'seed %i: leases live as long as promised'],
  '12 Lock / election': ['store/parity.test.ts', 'a fencing token: a write guarded by'],
  '12 Membership': later,
};

const all = { ...dataModel, ...ranges, ...writes, ...watches, ...leases, ...guarantees };
const root = join(import.meta.dirname, '..');
const collection = join(root, '../../shared/specs/etcd-parity.md');

/** Number of the section and first cell of each row of its tables; the same first cell once. */
function rowsOf(markdown: string): string[] {
  const rows = new Set<string>();
  let section = '';
  let isHead = false;
  for (const line of markdown.split('\n')) {
    section = /^##+ ([\d.]+?)\.? /.exec(line)?.[1] ?? section;
    const cell = /^\| ([^|]*) \|/.exec(line)?.[1]?.trim();
    if (line.startsWith('|---')) isHead = false;
    else if (cell === undefined) isHead = true;
    else if (!isHead && /^(2\.\d|3\.\d|4|12)$/.test(section)) rows.add(`${section} ${cell}`);
  }
  return [...rows];
}

describe('coverage of etcd’s rows', () => {
  test('every row -> a test or a reason, and nothing else', (context) => {
    context.skip(!existsSync(collection), 'needs ../shared/specs/etcd-parity.md');
    expect(Object.keys(all).sort()).toEqual(rowsOf(readFileSync(collection, 'utf8')).sort());
  });

  const places = Object.entries(all).flatMap(([row, at]) =>
    typeof at === 'string' ? [] : [[row, ...at] as const],
  );

  test.each(places)('%s -> its test is there', (_row, file, name) => {
    expect(readFileSync(join(root, file), 'utf8')).toContain(`'${name}`);
  });
});
