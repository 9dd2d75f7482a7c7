/**
 * Who may talk to this member. Each member id belongs to one data directory for ever: a directory
 * that was wiped has forgotten its votes and acknowledgements, so it must not come back under the
 * same id (DESIGN §4.17).
 */
import { kontikiError } from '../base/errors.js';
import type { MemberId } from '../raft/types.js';
import type { MemberIdentity } from '../transport/transport.js';

/** Keeps the pairs on stable storage. @since 0.1.0 */
export interface PeerMemory {
  /** Pairs remembered so far. */
  load(): ReadonlyMap<MemberId, string>;
  /** Resolves when all pairs are durable. Calls never overlap. */
  save(pairs: ReadonlyMap<MemberId, string>): Promise<void>;
}

/** @since 0.1.0 */
export class PeerRegistry {
  readonly #self: MemberIdentity;
  readonly #members: ReadonlySet<MemberId>;
  readonly #memory: PeerMemory;
  readonly #known: Map<MemberId, string>;
  #saving: Promise<void> = Promise.resolve();

  constructor(self: MemberIdentity, members: readonly MemberId[], memory: PeerMemory) {
    this.#self = self;
    this.#members = new Set(members);
    this.#memory = memory;
    this.#known = new Map(memory.load());
  }

  /**
   * Accepts a peer, remembering it durably the first time.
   *
   * @param probe - the peer only asks: answer the same, remember nothing
   * @throws {KontikiError} CLUSTER_MISMATCH, MEMBER_UNKNOWN, MEMBER_IDENTITY_CHANGED, STORAGE_IO
   */
  async admit(peer: MemberIdentity, probe: boolean): Promise<void> {
    this.#check(peer);
    if (probe || this.#known.has(peer.memberId)) return;
    const saved = this.#saving.then(async () => {
      // Another handshake of the same member may have come first while this one waited.
      this.#check(peer);
      if (this.#known.has(peer.memberId)) return;
      const pairs = new Map(this.#known).set(peer.memberId, peer.dirId);
      await this.#memory.save(pairs);
      this.#known.set(peer.memberId, peer.dirId);
    });
    this.#saving = saved.catch(() => undefined);
    await saved;
  }

  /** Resolves once nothing is being saved, so that the memory can be let go of. */
  async idle(): Promise<void> {
    await this.#saving;
  }

  #check(peer: MemberIdentity): void {
    if (peer.clusterId !== this.#self.clusterId) {
      throw kontikiError(
        'CLUSTER_MISMATCH',
        `node: expected a member of cluster ${this.#self.clusterId}, got one of ${peer.clusterId}`,
      );
    }
    if (!this.#members.has(peer.memberId) || peer.memberId === this.#self.memberId) {
      const message = `node: expected a peer of this cluster, got member ${peer.memberId}`;
      throw kontikiError('MEMBER_UNKNOWN', message);
    }
    const known = this.#known.get(peer.memberId);
    if (known !== undefined && known !== peer.dirId) {
      throw kontikiError(
        'MEMBER_IDENTITY_CHANGED',
        `node: expected member ${peer.memberId} with data directory ${known}, got ${peer.dirId}: ` +
          'a member whose directory was lost must be replaced under a new id',
      );
    }
  }
}
