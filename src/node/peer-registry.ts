/**
 * Who may talk to this member. Each member id belongs to one data directory for ever: a directory
 * that was wiped has forgotten its votes and acknowledgements, so it must not come back under the
 * same id (DESIGN §4.17).
 *
 * A member that never met a peer cannot tell a wiped directory from a first one. The leader can: it
 * has counted an acknowledgement of whoever it counts, so it has met them; and what was committed
 * before it led is, by an entry of its own term, on a majority that it has met. So once there is
 * anything to forget, a directory that is new here is taken only if the leader vouches for it.
 */
import { isKontikiError, kontikiError } from '../base/errors.js';
import type { MemberId } from '../raft/types.js';
import type { MemberIdentity } from '../transport/transport.js';

/** Keeps the pairs on stable storage. @since 0.1.0 */
export interface PeerMemory {
  /** Last entry of what the group began with, when that was a backup; default 0. */
  readonly foundedIndex?: number | undefined;
  /** Pairs remembered so far. */
  load(): ReadonlyMap<MemberId, string>;
  /** Resolves when all pairs are durable. Calls never overlap. */
  save(pairs: ReadonlyMap<MemberId, string>): Promise<void>;
}

/** What the registry asks about the group as this member knows it. @since 0.1.0 */
export interface PeerView {
  isMember(id: MemberId): boolean;
  isRemoved(id: MemberId): boolean;
  /** Anything was committed by this group, as far as this member knows. */
  hasHistory(): boolean;
  /** This member leads, and has committed an entry of its term. */
  leads(): boolean;
  /**
   * Asks the leader for its own word on the peer.
   *
   * @throws {KontikiError} what it refuses the peer with; anything else when it cannot be asked
   */
  vouch(peer: MemberIdentity, probe: boolean): Promise<void>;
}

/** What a peer is refused with, as opposed to put off. */
const refusals = [
  'CLUSTER_MISMATCH',
  'MEMBER_UNKNOWN',
  'MEMBER_REMOVED',
  'MEMBER_IDENTITY_CHANGED',
];

/** @since 0.1.0 */
export class PeerRegistry {
  readonly #self: MemberIdentity;
  readonly #view: PeerView;
  readonly #memory: PeerMemory;
  readonly #known: Map<MemberId, string>;
  #saving: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(self: MemberIdentity, view: PeerView, memory: PeerMemory) {
    this.#self = self;
    this.#view = view;
    this.#memory = memory;
    this.#known = new Map(memory.load());
  }

  /**
   * Accepts a peer, remembering it durably the first time.
   *
   * @param probe - the peer only asks: answer the same, remember nothing
   * @throws {KontikiError} CLUSTER_MISMATCH, MEMBER_UNKNOWN, MEMBER_REMOVED, MEMBER_IDENTITY_CHANGED;
   *   NO_LEADER, when nobody can tell now; STORAGE_IO
   */
  async admit(peer: MemberIdentity, probe: boolean): Promise<void> {
    this.#check(peer);
    if (this.#known.has(peer.memberId)) return;
    const decision = this.#decide(peer);
    if (decision === 'ask') await this.#ask(peer, probe);
    if (probe) return;
    const saved = this.#saving.then(async () => {
      if (this.#isClosed) throw kontikiError('CLOSED', 'node: closed');
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

  /** Saves no more; resolves once nothing is being saved, so that the memory can be let go of. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#saving;
  }

  /** About a peer that was never met: to be taken, or for the leader to say. */
  #decide(peer: MemberIdentity): 'take' | 'ask' {
    const view = this.#view;
    // Nothing to forget; or a member that was added and has not applied that yet.
    if (!view.leads()) return view.hasHistory() ? 'ask' : 'take';
    if (view.isMember(peer.memberId)) return 'take';
    // The leader has applied what it committed, but for what it just did.
    const message = `node: expected a peer of this cluster, got member ${peer.memberId}`;
    throw kontikiError('MEMBER_UNKNOWN', message);
  }

  async #ask(peer: MemberIdentity, probe: boolean): Promise<void> {
    try {
      await this.#view.vouch(peer, probe);
    } catch (error) {
      if (refusals.some((code) => isKontikiError(error) && error.code === code)) throw error;
      // It may have been added by entries that this member can get only from such members. It does
      // not count its vote before it has them.
      if (!this.#view.isMember(peer.memberId)) return;
      const message = `node: no leader can tell whether member ${peer.memberId} is new`;
      throw kontikiError('NO_LEADER', message, { cause: error });
    }
  }

  #check(peer: MemberIdentity): void {
    if (peer.clusterId !== this.#self.clusterId) {
      throw kontikiError(
        'CLUSTER_MISMATCH',
        `node: expected a member of cluster ${this.#self.clusterId}, got one of ${peer.clusterId}`,
      );
    }
    if (peer.memberId === this.#self.memberId) {
      const message = `node: expected a peer of this cluster, got member ${peer.memberId}`;
      throw kontikiError('MEMBER_UNKNOWN', message);
    }
    if (this.#view.isRemoved(peer.memberId)) {
      throw kontikiError('MEMBER_REMOVED', `node: member ${peer.memberId} was removed`);
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
