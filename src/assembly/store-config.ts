/**
 * Options of `openStore`, checked as a whole before anything is touched.
 */
import { timerMsMax } from '../base/clock.js';
import { kontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import { isNameText } from '../base/member-text.js';
import { hash53 } from '../base/name-hash.js';
import type { RetentionLimits } from '../node/log-retention.js';
import type { Logger } from '../node/logger.js';
import type { MemberId } from '../raft/types.js';
import type { HistoryKeep } from '../store/history-keep.js';
import { parseAddress } from '../transport/address.js';
import { ownTls, type TlsOptions } from '../transport/tls-options.js';
import { type HistoryOptions, historyKeepOf, usualHistory } from './history-option.js';

/** @since 0.1.0 */
export interface StoreOptions {
  /**
   * Name of this member, of at most 256 characters; default `'main'`. In a cluster it must be one of the
   * names of `cluster`.
   */
  readonly name?: string | undefined;
  /** Data directory, created if missing. Without it a single member lives in memory. */
  readonly dir?: string | undefined;
  /** `host:port` to listen on for peers; default the own address in `cluster`. */
  readonly listen?: string | undefined;
  /**
   * `host:port` of every member by name, at most 64, this one included, of at most 256 characters each; the
   * same on all members.
   */
  readonly cluster?: Readonly<Record<string, string>> | undefined;
  /**
   * `'new'`: founds the cluster with the others of `cluster`. `'existing'`: joins one that has it as a
   * member since `members.add`, by this name; needs `dir` and `listen`, and takes no `cluster`. Default
   * `'new'`. A member that joined is opened like that again.
   */
  readonly bootstrap?: 'new' | 'existing' | undefined;
  /** `host:port` of any members of the cluster to join; needed as long as `dir` is empty. */
  readonly join?: readonly string[] | undefined;
  /** Keeps clusters with equal member names apart; default `'kontiki'`. */
  readonly token?: string | undefined;
  /** Mutual TLS between members, on all of them or on none; default none. */
  readonly tls?: TlsOptions | undefined;
  /** Milliseconds per tick, at least 1; default 100. Timeouts of writes are looked at once per tick. */
  readonly tickMs?: number | undefined;
  /** Ticks between heartbeats; default 1. */
  readonly heartbeatTicks?: number | undefined;
  /** Ticks without a leader before an election, more than `heartbeatTicks`; default 10. */
  readonly electionTicks?: number | undefined;
  /**
   * Milliseconds before a call without a `timeoutMs` of its own gives up; default 7,000. A write gives up
   * at a tick, up to two of `tickMs` later, never earlier.
   */
  readonly timeoutMs?: number | undefined;
  /** Bytes of snapshots sent in a second to members that need one, 256 KiB or more; default 64 MiB. */
  readonly snapshotBytesPerSecond?: number | undefined;
  /** How far back the store can be read and watched; the leader's counts; default `{ keep: '1h' }`. */
  readonly history?: HistoryOptions | undefined;
  /** Takes the facts of the member's life, such as `console`; default nobody. */
  readonly logger?: Logger | undefined;
}

/** Options with defaults filled in and identities derived. @since 0.1.0 */
export interface StoreConfig {
  readonly name: string;
  readonly dir: string | undefined;
  readonly listen: string | undefined;
  readonly token: string;
  readonly clusterId: number;
  readonly memberId: MemberId;
  readonly bootstrap: 'new' | 'existing';
  /** Whom one that joins asks. */
  readonly join: readonly string[];
  /** Every member, this one included, in the order of `cluster`; none of a cluster to be joined. */
  readonly members: readonly {
    readonly id: MemberId;
    readonly name: string;
    readonly address: string | undefined;
  }[];
  readonly tls?: TlsOptions | undefined;
  /** Set when the ids are those of a restored cluster. */
  readonly origin?: string | undefined;
  readonly tickMs: number;
  readonly heartbeatTicks: number;
  readonly electionTicks: number;
  readonly timeoutMs: number;
  readonly snapshotBytesPerSecond?: number | undefined;
  readonly history: HistoryKeep;
  readonly logger?: Logger | undefined;
  /** Leases do not run out: the member is opened to be read, and its clients are not there. */
  readonly keepsLeases?: boolean | undefined;
  /** Sizes that `openStore` leaves at their defaults; for tests and for unusual disks. */
  readonly tuning?: StoreTuning | undefined;
}

/** @since 0.1.0 */
export interface StoreTuning {
  /** Bytes of a segment of the log; default `limits.segmentBytes`. */
  readonly segmentBytes?: number | undefined;
  /** How much of the log is kept for members that are behind; default: see `limits`. */
  readonly retention?: RetentionLimits | undefined;
  /** Bytes of one chunk of a snapshot on its way; default `limits.snapshotChunkBytes`. */
  readonly snapshotChunkBytes?: number | undefined;
  /** In place of the option of that name. */
  readonly snapshotBytesPerSecond?: number | undefined;
  /** Bytes of entries that the log keeps in memory once they are applied; default 64 MiB. */
  readonly logCacheBytes?: number | undefined;
  /** Milliseconds from the first change of the state to the flush that takes it; default 1,000. */
  readonly flushIntervalMs?: number | undefined;
  /** Keys of changes not yet flushed that a read sorts, copies or indexes in one turn; default 4,096. */
  readonly sortKeysMax?: number | undefined;
  /** Bytes of history, and of the rest, with which history goes ahead of a flush; default 1 MiB. */
  readonly aheadBytesMin?: number | undefined;
  /** Events a watcher holds before history serves it; default `limits.watcherEventsMax`. */
  readonly watcherEventsMax?: number | undefined;
  /**
   * Bytes of versions kept to answer reads; default `limits.versionCacheBytes`. Nor are more kept of
   * the records that were flushed lately; default `limits.flushedRecordsBytes`.
   */
  readonly versionCacheBytes?: number | undefined;
  /** Milliseconds between two notes in the log of what a long lease has left; default 300,000. */
  readonly leaseCheckpointMs?: number | undefined;
  /** In place of the option of that name. */
  readonly history?: HistoryKeep | undefined;
}

const optionNames = [
  'name',
  'dir',
  'listen',
  'cluster',
  'bootstrap',
  'join',
  'token',
  'tls',
  'tickMs',
  'heartbeatTicks',
  'electionTicks',
  'timeoutMs',
  'snapshotBytesPerSecond',
  'history',
  'logger',
];

/**
 * @throws {KontikiError} OPTIONS_INVALID, DIR_REQUIRED, MEMBER_UNKNOWN, TOO_MANY_MEMBERS
 * @since 0.1.0
 */
export function storeConfig(options: StoreOptions): StoreConfig {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw invalid('options', 'an object', options);
  }
  for (const key of Object.keys(options)) {
    if (!optionNames.includes(key)) throw invalid('option names', optionNames.join(', '), key);
  }
  const { name = 'main', token = 'kontiki', dir, listen, cluster, tls, logger } = options;
  memberText(name, 'name');
  text(token, 'token');
  if (dir !== undefined) text(dir, 'dir');
  if (listen !== undefined) address(listen, 'listen');
  if (cluster !== undefined) checkCluster(cluster, name, dir);
  if (tls !== undefined) checkTls(tls, listen ?? cluster?.[name]);
  if (logger !== undefined) checkLogger(logger);
  const { bootstrap = 'new', join = [] } = options;
  checkBootstrap(bootstrap, join, options);
  const isJoining = bootstrap === 'existing';
  // A port that the system picks, at each start another one, is none where others could reach it.
  const isReachable = dir !== undefined && listen !== undefined && portOf(listen) !== 0;
  const ownAddress = isReachable ? listen : undefined;
  const members = isJoining ? [] : Object.entries(cluster ?? { [name]: ownAddress });
  return {
    ...{ name, dir, listen: listen ?? cluster?.[name], token, logger },
    // Read long after the call has returned: what becomes of the caller's lists and bytes is its own.
    ...{ bootstrap, join: [...join], tls: tls && ownTls(tls) },
    ...idsOf(token, name, members),
    ...timesOf(options),
    history: historyOf(options.history),
  };
}

/**
 * The same member of a cluster that was restored from a backup: all ids are others, for neither members
 * of the lost cluster nor those that were not restored along may take part.
 *
 * @param config - as its options say
 * @param origin - which backup, and how it was restored; equal on all members
 * @since 0.1.0
 */
export function restoredConfig(config: StoreConfig, origin: string): StoreConfig {
  const members = config.members.map(({ name, address }) => [name, address] as const);
  // No token of a user's has a zero in it.
  return { ...config, origin, ...idsOf(`${config.token}\0${origin}`, config.name, members) };
}

function idsOf(
  token: string,
  name: string,
  members: readonly (readonly [name: string, address: string | undefined])[],
): Pick<StoreConfig, 'clusterId' | 'memberId' | 'members'> {
  const names = members.map(([each]) => each);
  return {
    clusterId: hash53(['cluster', token, ...names.sort()]),
    memberId: memberIdOf(token, name),
    members: members.map(([each, address]) => ({
      id: memberIdOf(token, each),
      name: each,
      address,
    })),
  };
}

function timesOf(options: StoreOptions) {
  const { tickMs = 100, heartbeatTicks = 1, electionTicks = 10, timeoutMs = 7_000 } = options;
  const isTick = typeof tickMs === 'number' && tickMs >= 1 && tickMs <= timerMsMax;
  if (!isTick) throw invalid('tickMs', 'a number of at least 1', tickMs);
  const isTimeout = typeof timeoutMs === 'number' && timeoutMs > 0 && timeoutMs <= timerMsMax;
  if (!isTimeout) throw invalid('timeoutMs', 'a number above 0', timeoutMs);
  count(heartbeatTicks, 1, 'heartbeatTicks');
  count(electionTicks, heartbeatTicks + 1, 'electionTicks');
  if (2 * tickMs * electionTicks > timerMsMax) {
    throw invalid('electionTicks', `two elections of at most ${timerMsMax} ms`, electionTicks);
  }
  const { snapshotBytesPerSecond: pace } = options;
  if (pace !== undefined) count(pace, limits.snapshotChunkBytes, 'snapshotBytesPerSecond');
  return { tickMs, heartbeatTicks, electionTicks, timeoutMs, snapshotBytesPerSecond: pace };
}

function historyOf(history: HistoryOptions | undefined): HistoryKeep {
  if (history === undefined) return usualHistory;
  const isObject = typeof history === 'object' && history !== null;
  const stranger = isObject ? Object.keys(history).find((key) => key !== 'keep') : undefined;
  if (!isObject || stranger !== undefined) {
    throw invalid('history', '{ keep }', stranger ?? history);
  }
  const keep = historyKeepOf(history.keep);
  if (keep !== undefined) return keep;
  throw invalid('history.keep', "'all', a span as '1h' or { revisions: 1000 }", history.keep);
}

/** Id of an initial member (DESIGN §4.17): the same on every member, without asking anyone. */
function memberIdOf(token: string, name: string): MemberId {
  return hash53(['member', token, name]);
}

function checkBootstrap(
  bootstrap: unknown,
  join: readonly string[],
  { cluster, dir, listen }: StoreOptions,
): void {
  if (bootstrap !== 'new' && bootstrap !== 'existing') {
    throw invalid('bootstrap', "'new' or 'existing'", bootstrap);
  }
  if (!Array.isArray(join)) throw invalid('join', 'a list of host:port', join);
  for (const each of join) address(each, 'an address of join');
  if (bootstrap === 'new') {
    if (join.length > 0) throw invalid('join', "given with bootstrap: 'existing'", join.join());
    return;
  }
  if (dir === undefined) {
    const why = 'a member that forgets its votes at a restart breaks the cluster';
    throw kontikiError('DIR_REQUIRED', `openStore: expected a dir to join a cluster with: ${why}`);
  }
  if (cluster !== undefined) throw invalid('cluster', "absent with bootstrap: 'existing'", cluster);
  if (listen === undefined) throw invalid('listen', 'given to join a cluster', listen);
}

function checkCluster(
  cluster: Readonly<Record<string, string>>,
  name: string,
  dir: string | undefined,
): void {
  if (typeof cluster !== 'object' || cluster === null || Array.isArray(cluster)) {
    throw invalid('cluster', 'an object of name: address', cluster);
  }
  if (dir === undefined) {
    throw kontikiError(
      'DIR_REQUIRED',
      'openStore: expected a dir beside cluster, got none: a member that forgets its votes at a ' +
        'restart breaks the cluster',
    );
  }
  if (!Object.hasOwn(cluster, name)) {
    const names = Object.keys(cluster).join(', ');
    const message = `openStore: expected cluster (${names}) to have the own name ${name}`;
    throw kontikiError('MEMBER_UNKNOWN', message);
  }
  checkCount(Object.keys(cluster).length);
  const taken = new Map<string, string>();
  for (const [member, at] of Object.entries(cluster)) {
    memberText(member, 'member name');
    memberText(at, `address of ${member}`);
    address(at, `address of ${member}`);
    if (portOf(at) === 0) throw invalid(`port of ${member}`, 'one that others can dial', 0);
    const other = taken.get(at);
    if (other !== undefined) {
      throw invalid(`addresses of ${other} and ${member}`, 'different', at);
    }
    taken.set(at, member);
  }
}

/** As many as can be added later: who has more could add none in the place of one that it lost. */
function checkCount(founders: number): void {
  if (founders <= limits.membersMax) return;
  const message = `openStore: expected a cluster of at most ${limits.membersMax} members, got ${founders}`;
  throw kontikiError('TOO_MANY_MEMBERS', message);
}

function checkLogger(logger: Logger): void {
  for (const level of ['debug', 'info', 'warn', 'error'] as const) {
    if (typeof logger?.[level] === 'function') continue;
    throw invalid(`logger.${level}`, 'a function', logger?.[level]);
  }
}

/** Whether it can be used is for the transport to find out, before anything else is opened. */
function checkTls(tls: TlsOptions, listen: string | undefined): void {
  if (typeof tls !== 'object' || tls === null) throw invalid('tls', '{ ca, cert, key }', tls);
  if (listen === undefined) throw invalid('tls', 'given beside cluster or listen', 'it alone');
  const names = ['ca', 'cert', 'key'] as const;
  const stranger = Object.keys(tls).find((key) => !(names as readonly string[]).includes(key));
  if (stranger !== undefined) throw invalid('option names of tls', names.join(', '), stranger);
  for (const name of names) {
    if (!(tls[name] instanceof Uint8Array)) text(tls[name], `tls.${name}`);
  }
}

function text(value: unknown, what: string): void {
  if (isNameText(value)) return;
  throw invalid(what, 'a well-formed string of at least one character', value);
}

/** As long as it may be when it is added later: all of them have to fit the header of a snapshot. */
function memberText(value: unknown, what: string): void {
  text(value, what);
  const { memberTextMax } = limits;
  if ((value as string).length <= memberTextMax) return;
  throw invalid(what, `a string of at most ${memberTextMax} characters`, value);
}

/** Of an address that was checked. */
function portOf(address: string): number {
  return parseAddress(address).port;
}

/** What the transport will parse, so that it never refuses when a directory is open already. */
function address(value: unknown, what: string): void {
  try {
    parseAddress(value as string);
    if (typeof value === 'string') return;
  } catch {
    // Told below, with the name of the option.
  }
  throw invalid(what, 'host:port', value);
}

function count(value: unknown, min: number, what: string): void {
  if (Number.isSafeInteger(value) && (value as number) >= min) return;
  throw invalid(what, `an integer of at least ${min}`, value);
}

function invalid(what: string, expected: string, got: unknown) {
  const message = `openStore: expected ${what} to be ${expected}, got ${describe(got)}`;
  return kontikiError('OPTIONS_INVALID', message);
}

function describe(value: unknown): string {
  if (typeof value === 'string') return value === '' ? 'an empty string' : value;
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}
