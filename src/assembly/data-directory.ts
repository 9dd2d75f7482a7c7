/**
 * A member's directory: whose it is, and that nobody else has it open.
 *
 *     member.json   who this member is, which directories its peers have
 *     wal/          the log
 *     state/        the keyspace
 */

import { replaceAdvice } from '../base/advice.js';
import { binaryString, utf8Bytes } from '../base/bytes.js';
import { type KontikiError, kontikiError } from '../base/errors.js';
import type { Random } from '../base/prng.js';
import { sha256 } from '../base/sha256.js';
import type { KnownPeer } from '../node/known-peer.js';
import type { PeerMemory } from '../node/peer-registry.js';
import { syncNames } from '../storage/ancestors.js';
import type { FileSystem } from '../storage/file-system.js';
import {
  type MemberRecord,
  type PeerRecord,
  readMemberFile,
  writeMemberFile,
} from '../storage/member-file.js';
import type { MemberIdentity } from '../transport/transport.js';
import { restoredConfig, type StoreConfig } from './store-config.js';

/**
 * How many lives' tokens are kept and told. A copy that is started more often before a peer hears of it
 * can not be told from the directory by its lives.
 */
const livesKept = 16;

/** @since 0.1.0 */
export class DataDirectory {
  readonly #fs: FileSystem;
  readonly #path: string;
  readonly #config: StoreConfig;
  #record: MemberRecord | undefined;

  private constructor(
    fs: FileSystem,
    path: string,
    config: StoreConfig,
    record: MemberRecord | undefined,
  ) {
    this.#fs = fs;
    this.#path = path;
    this.#config = config;
    this.#record = record;
  }

  /**
   * Looks at a directory without changing anything.
   *
   * @throws {KontikiError} CLUSTER_MISMATCH, MEMBER_MISMATCH, MEMBER_ROLLED_BACK, STATE_CORRUPT,
   *   WAL_CORRUPT, FORMAT_UNSUPPORTED, STORAGE_IO
   */
  static async inspect(fs: FileSystem, path: string, config: StoreConfig): Promise<DataDirectory> {
    const record = await readMemberFile(fs, path);
    if (record !== undefined) {
      checkOwner(path, record, config);
      if (record.rolledBack) throw rolledBack(path, record);
      // The member file is written after the log was made, so a missing log was lost (DESIGN §4.10).
      if ((await fs.list(`${path}/wal`)).length === 0) {
        throw kontikiError(
          'WAL_CORRUPT',
          `openStore: expected the log of member ${record.name} in ${path}/wal, found none; ` +
            replaceAdvice,
          { file: `${path}/wal`, offset: 0 },
        );
      }
    }
    return new DataDirectory(fs, path, config, record);
  }

  /** Who the directory belongs to; `undefined` before `initialize`. */
  get identity(): MemberIdentity | undefined {
    if (this.#record === undefined) return undefined;
    const { clusterId, memberId, dirId } = this.#record;
    return { clusterId, memberId, dirId };
  }

  /** The identity a new directory would get. */
  newIdentity(random: Random): MemberIdentity {
    const { clusterId, memberId } = this.#config;
    return { clusterId, memberId, dirId: newDirId(random) };
  }

  /**
   * Takes the directory, creating it if missing.
   *
   * @returns how to let go of it
   * @throws {KontikiError} DIR_LOCKED, STORAGE_IO
   */
  async lock(): Promise<() => Promise<void>> {
    await this.#fs.makeDirectory(this.#path);
    const lock = await this.#fs.lock(this.#path);
    return () => lock.release();
  }

  /**
   * Makes the directory's name durable: to be called at each open, before anything is written in it. As
   * long as there is no member file, an open that made folders above it as well may have died before it
   * synced their names, and the next one finds nothing missing: then those of all are.
   *
   * @throws {KontikiError} STORAGE_IO, NO_SPACE
   */
  async syncNames(): Promise<void> {
    await syncNames(this.#fs, this.#path, this.#record === undefined ? 'all' : 'own');
  }

  /** The members the group was started with, as this directory has them; none before `initialize`. */
  get founders(): StoreConfig['members'] {
    return (this.#record?.members ?? []).map(({ id, name, address }) => ({ id, name, address }));
  }

  /**
   * Makes the directory this member's for good, once its name is durable.
   *
   * @param founders - the group's; default the config's
   */
  async initialize(
    identity: MemberIdentity,
    founders: StoreConfig['members'] = this.#config.members,
  ): Promise<void> {
    const { name, origin, token } = this.#config;
    await this.#save({
      format: 1,
      ...identity,
      name,
      token: tokenHash(token),
      restored: origin,
      members: founders.map(({ id, name: each, address }) => ({ id, name: each, address })),
      peers: [],
    });
  }

  /**
   * Keeps in the member file what is known of the peers, and which life this is.
   *
   * @param random - draws the lives' tokens
   */
  peerMemory(random: Random): PeerMemory {
    const record = () => this.#record as MemberRecord;
    return {
      foundedIndex: foundedIndexOf(record().restored),
      load: () => new Map(record().peers.map((peer) => [peer.memberId, knownPeer(peer)])),
      save: async (known) => {
        const peers = [...known].map(([memberId, peer]) => ({ memberId, ...peer }));
        await this.#save({ ...record(), peers });
      },
      beginLife: async () => {
        const before = record().life;
        const number = (before?.number ?? 0) + 1;
        const tokens = [random.u32(), ...(before?.tokens ?? [])].slice(0, livesKept);
        await this.#save({ ...record(), life: { number, tokens } });
        return { number, tokens };
      },
      setAside: () => this.#save({ ...record(), rolledBack: true }),
    };
  }

  async #save(record: MemberRecord): Promise<void> {
    await writeMemberFile(this.#fs, this.#path, record);
    this.#record = record;
  }
}

/** Files of before lives were counted have none of the numbers. */
function knownPeer({ dirId, life = 0, token = 0, term = 0, lastIndex = 0 }: PeerRecord): KnownPeer {
  return { dirId, life, token, term, lastIndex };
}

function rolledBack(path: string, { name }: MemberRecord): KontikiError {
  const message = `openStore: peers found ${path} to be an old copy of ${name}'s; ${replaceAdvice}`;
  return kontikiError('MEMBER_ROLLED_BACK', message);
}

/** Entries of the lost cluster are none that a member of the new one could have forgotten. */
function foundedIndexOf(origin: string | undefined): number {
  return Number(/@(\d+)/.exec(origin ?? '')?.[1] ?? 0);
}

/**
 * The configuration with the ids that a member's directory goes by: those of a restored cluster are not
 * to be told from its options. Needed before anything that goes by ids is made, such as a transport.
 *
 * @throws {KontikiError} STATE_CORRUPT, FORMAT_UNSUPPORTED, STORAGE_IO
 * @since 0.1.0
 */
export async function configIn(fs: FileSystem, config: StoreConfig): Promise<StoreConfig> {
  if (config.dir === undefined) return config;
  const origin = (await readMemberFile(fs, config.dir))?.restored;
  return origin === undefined ? config : restoredConfig(config, origin);
}

/** A random 128-bit id of a data directory, as 32 hexadecimal digits. @since 0.1.0 */
export function newDirId(random: Random): string {
  let id = '';
  for (let part = 0; part < 4; part += 1) id += random.u32().toString(16).padStart(8, '0');
  return id;
}

function checkOwner(path: string, record: MemberRecord, config: StoreConfig): void {
  // One that joined has its ids from the group, not from its options.
  const isJoined = config.bootstrap === 'existing';
  const isOfCluster = isJoined || record.clusterId === config.clusterId;
  if (record.token !== tokenHash(config.token) || !isOfCluster) {
    const theirs = record.members.map((member) => member.name).join(', ');
    const ours = config.members.map((member) => member.name).join(', ');
    throw kontikiError(
      'CLUSTER_MISMATCH',
      `openStore: expected ${path} to belong to the cluster of ${ours} (token ${config.token}), ` +
        `it belongs to one of ${theirs}`,
    );
  }
  if (record.name !== config.name || (!isJoined && record.memberId !== config.memberId)) {
    throw kontikiError(
      'MEMBER_MISMATCH',
      `openStore: expected ${path} to belong to ${config.name}, it belongs to ${record.name}`,
    );
  }
}

/** Enough to tell tokens apart without keeping them in a readable file. @since 0.1.0 */
export function tokenHash(token: string): string {
  const digest = binaryString(sha256(utf8Bytes(token)).subarray(0, 8));
  return [...digest].map((c) => c.charCodeAt(0).toString(16).padStart(2, '0')).join('');
}
