/**
 * Options of `openStore`, checked as a whole before anything is touched.
 */
import { utf8Bytes } from '../base/bytes.js';
import { kontikiError } from '../base/errors.js';
import { sha256 } from '../base/sha256.js';
import type { RetentionLimits } from '../node/log-retention.js';
import type { MemberId } from '../raft/types.js';
import { parseAddress } from '../transport/address.js';

/** @since 0.1.0 */
export interface StoreOptions {
  /** Name of this member; default `'main'`. In a cluster it must be one of the names of `cluster`. */
  readonly name?: string | undefined;
  /** Data directory, created if missing. Without it a single member lives in memory. */
  readonly dir?: string | undefined;
  /** `host:port` to listen on for peers; default the own address in `cluster`. */
  readonly listen?: string | undefined;
  /** `host:port` of every member by name, this one included; the same on all members. */
  readonly cluster?: Readonly<Record<string, string>> | undefined;
  /** Keeps clusters with equal member names apart; default `'kontiki'`. */
  readonly token?: string | undefined;
  /** Milliseconds per tick, at least 1; default 100. */
  readonly tickMs?: number | undefined;
  /** Ticks between heartbeats; default 1. */
  readonly heartbeatTicks?: number | undefined;
  /** Ticks without a leader before an election, more than `heartbeatTicks`; default 10. */
  readonly electionTicks?: number | undefined;
  /** Milliseconds before a call without a `timeoutMs` of its own gives up; default 7,000. */
  readonly timeoutMs?: number | undefined;
}

/** Options with defaults filled in and identities derived. @since 0.1.0 */
export interface StoreConfig {
  readonly name: string;
  readonly dir: string | undefined;
  readonly listen: string | undefined;
  readonly token: string;
  readonly clusterId: number;
  readonly memberId: MemberId;
  /** Every member, this one included, in the order of `cluster`. */
  readonly members: readonly {
    readonly id: MemberId;
    readonly name: string;
    readonly address: string | undefined;
  }[];
  readonly tickMs: number;
  readonly heartbeatTicks: number;
  readonly electionTicks: number;
  readonly timeoutMs: number;
  /** Sizes that `openStore` leaves at their defaults; for tests and for unusual disks. */
  readonly tuning?: StoreTuning | undefined;
}

/** @since 0.1.0 */
export interface StoreTuning {
  /** Bytes of a segment of the log; default `limits.segmentBytes`. */
  readonly segmentBytes?: number | undefined;
  /** How much of the log is kept for members that are behind; default: see `limits`. */
  readonly retention?: RetentionLimits | undefined;
}

const optionNames = [
  'name',
  'dir',
  'listen',
  'cluster',
  'token',
  'tickMs',
  'heartbeatTicks',
  'electionTicks',
  'timeoutMs',
];

/** The longest delay that a timer of Node takes, in milliseconds. */
const timerMsMax = 2 ** 31 - 1;

/**
 * @throws {KontikiError} OPTIONS_INVALID, DIR_REQUIRED, MEMBER_UNKNOWN
 * @since 0.1.0
 */
export function storeConfig(options: StoreOptions): StoreConfig {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw invalid('options', 'an object', options);
  }
  for (const key of Object.keys(options)) {
    if (!optionNames.includes(key)) throw invalid('option names', optionNames.join(', '), key);
  }
  const { name = 'main', token = 'kontiki', dir, listen, cluster } = options;
  text(name, 'name');
  text(token, 'token');
  if (dir !== undefined) text(dir, 'dir');
  if (listen !== undefined) address(listen, 'listen');
  if (cluster !== undefined) checkCluster(cluster, name, dir);
  const names = cluster === undefined ? [name] : Object.keys(cluster);
  return {
    name,
    dir,
    listen: listen ?? cluster?.[name],
    token,
    clusterId: hash53(['cluster', token, ...[...names].sort()]),
    memberId: memberIdOf(token, name),
    members: names.map((n) => ({ id: memberIdOf(token, n), name: n, address: cluster?.[n] })),
    ...timesOf(options),
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
  return { tickMs, heartbeatTicks, electionTicks, timeoutMs };
}

/** Id of an initial member (DESIGN §4.17): the same on every member, without asking anyone. */
function memberIdOf(token: string, name: string): MemberId {
  return hash53(['member', token, name]);
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
  const taken = new Map<string, string>();
  for (const [member, at] of Object.entries(cluster)) {
    text(member, 'member name');
    address(at, `address of ${member}`);
    const other = taken.get(at);
    if (other !== undefined) {
      throw invalid(`addresses of ${other} and ${member}`, 'different', at);
    }
    taken.set(at, member);
  }
}

function text(value: unknown, what: string): void {
  if (typeof value === 'string' && value.length > 0 && !value.includes('\0')) return;
  throw invalid(what, 'a string of at least one character', value);
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

/** 53 bits of SHA-256 over the parts, each with its length before it; never 0. */
function hash53(parts: readonly string[]): number {
  const joined = parts.map((part) => `${utf8Bytes(part).length}:${part}`).join('');
  const digest = new DataView(sha256(utf8Bytes(joined)).buffer);
  const value = (digest.getUint32(0) & 0x1fffff) * 2 ** 32 + digest.getUint32(4);
  return value === 0 ? 1 : value;
}
