/**
 * Who may talk to this member. Each member id belongs to one data directory for ever: a directory
 * that was wiped has forgotten its votes and acknowledgements, so it must not come back under the
 * same id (DESIGN §4.17).
 *
 * A member that never met a peer cannot tell a wiped directory from a first one. The leader can: it
 * has counted an acknowledgement of whoever it counts, so it has met them; and what was committed
 * before it led is, by an entry of its own term, on a majority that it has met. So once there is
 * anything to forget, a directory that is new here is taken only if the leader vouches for it, and one
 * whose process stood still lately only once it is certain that it leads still.
 *
 * A directory that is known is taken as long as it is not an old copy of itself (ADR 0019).
 */
import { isErrorOf, isKontikiError, kontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import type { MemberId } from '../raft/types.js';
import type { DirectoryLife, MemberIdentity } from '../transport/transport.js';
import { copyEvidence, isBeyond, isSameLife, type KnownPeer, type Pledge } from './known-peer.js';

/** Keeps on stable storage what tells directories apart. Calls never overlap. @since 0.1.0 */
export interface PeerMemory {
  /** Last entry of what the group began with, when that was a backup; default 0. */
  readonly foundedIndex?: number | undefined;
  /** Peers remembered so far. */
  load(): ReadonlyMap<MemberId, KnownPeer>;
  /** Resolves when all of it is durable. */
  save(known: ReadonlyMap<MemberId, KnownPeer>): Promise<void>;
  /**
   * Optional: begins another life of the own directory, once per node. Resolves when it is durable;
   * nothing is said to peers before.
   */
  beginLife?(): Promise<Pick<DirectoryLife, 'number' | 'tokens'>>;
  /** Optional: the own directory is an old copy, which must not open any more. */
  setAside?(): Promise<void>;
}

/** What the registry asks about the group as this member knows it. @since 0.1.0 */
export interface PeerView {
  isMember(id: MemberId): boolean;
  isRemoved(id: MemberId): boolean;
  /** Anything was committed by this group, as far as this member knows. */
  hasHistory(): boolean;
  /** This member leads, and has committed an entry of its term; it may have been deposed since. */
  leads(): boolean;
  /**
   * Resolves once no other leader can have been elected long before this call: for longer than one that
   * hears of no quorum goes on.
   *
   * @throws {KontikiError} when that cannot be said now
   */
  confirmLead(): Promise<void>;
  /** What members are known to have pledged, in the present term. */
  pledges(): readonly Pledge[];
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
  'MEMBER_ROLLED_BACK',
] as const;

/** Between two saves of what peers have pledged, in milliseconds: copies are older than that. */
const pledgesEveryMs = 60_000;

/** @since 0.1.0 */
export class PeerRegistry {
  readonly #self: MemberIdentity;
  readonly #view: PeerView;
  readonly #memory: PeerMemory;
  readonly #known: Map<MemberId, KnownPeer>;
  /** When pledges were saved last. */
  #pledgesMs = Number.NEGATIVE_INFINITY;
  #hasNewPledges = false;
  #saving: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(self: MemberIdentity, view: PeerView, memory: PeerMemory) {
    this.#self = self;
    this.#view = view;
    this.#memory = memory;
    this.#known = new Map(memory.load());
  }

  /**
   * Accepts a peer, remembering it durably the first time it is met in a life.
   *
   * @param probe - the peer only asks: answer the same, remember nothing
   * @throws {KontikiError} CLUSTER_MISMATCH, MEMBER_UNKNOWN, MEMBER_REMOVED, MEMBER_IDENTITY_CHANGED,
   *   MEMBER_ROLLED_BACK; NO_LEADER, when nobody can tell now; STORAGE_IO
   */
  async admit(peer: MemberIdentity, probe: boolean): Promise<void> {
    this.#check(peer);
    if (this.#remembers(peer)) return;
    const isNew = !this.#known.has(peer.memberId);
    const decision = isNew ? this.#decide(peer) : 'take';
    if (decision === 'ask') await this.#ask(peer, probe);
    if (decision === 'confirm') await this.#confirmLead(peer);
    if (probe) return;
    await this.#inTurn(async () => {
      // Another handshake of the same member may have come first while this one waited.
      this.#check(peer);
      if (this.#remembers(peer)) return;
      await this.#saveMet(peer, isNew);
      // Connections of a removed member are dropped when it is; this one would be opened behind that.
      this.#checkRemoved(peer);
      // With what it pledged meanwhile.
      this.#known.set(peer.memberId, this.#metNow(peer));
    });
  }

  /**
   * The leader's word on a peer, for a member that never met it: on itself, too, for it may be the one
   * that the other cannot place.
   *
   * @throws {KontikiError} as {@link admit}
   */
  async vouch(peer: MemberIdentity, probe: boolean): Promise<void> {
    // Of one that was met only its own connections tell anything new: whoever asks may say anything of it.
    if (this.hasMet(peer.memberId)) return this.#check(peer);
    if (peer.memberId !== this.#self.memberId) return this.admit(peer, probe);
    if (this.#isSelf(peer) && this.#view.leads()) return;
    throw kontikiError('NO_LEADER', 'node: expected to be asked by members that know this leader');
  }

  /**
   * The leader's word on a peer, for anybody: only on one that it has met, and on itself. It remembers
   * nothing, for who asks may be no member at all.
   *
   * @throws {KontikiError} as {@link admit}; NO_LEADER also for a peer that it never met
   */
  confirm(peer: MemberIdentity): void {
    if (this.#view.leads()) {
      if (this.#isSelf(peer)) return;
      this.#check(peer);
      if (this.hasMet(peer.memberId)) return;
    }
    throw kontikiError('NO_LEADER', 'node: expected a leader that has met the peer');
  }

  /** Whether a member was ever let in. */
  hasMet(id: MemberId): boolean {
    return this.#known.has(id);
  }

  /** Time passes: notes what peers have pledged, so that it is known after a restart as well. */
  tick(nowMs: number): void {
    for (const pledge of this.#view.pledges()) this.#note(pledge);
    if (!this.#hasNewPledges || nowMs - this.#pledgesMs < pledgesEveryMs) return;
    this.#hasNewPledges = false;
    this.#pledgesMs = nowMs;
    // What is lost with a failure is noted again, with more.
    this.#inTurn(() => this.#save(new Map(this.#known))).catch(() => undefined);
  }

  /** Peers found that this member's own directory is an old copy: it never opens again. */
  setAside(): void {
    // A crash before it is durable leaves it to the next refusal.
    this.#inTurn(async () => this.#memory.setAside?.()).catch(() => undefined);
  }

  /** Saves no more; resolves once nothing is being saved, so that the memory can be let go of. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#saving;
  }

  #isSelf({ clusterId, dirId, life, memberId }: MemberIdentity): boolean {
    const self = this.#self;
    return (
      memberId === self.memberId &&
      clusterId === self.clusterId &&
      dirId === self.dirId &&
      life?.number === self.life?.number &&
      life?.tokens[0] === self.life?.tokens[0]
    );
  }

  /** One after the other, for the memory's calls do not overlap. */
  async #inTurn(save: () => Promise<void>): Promise<void> {
    const saved = this.#saving.then(save);
    this.#saving = saved.catch(() => undefined);
    await saved;
  }

  /** A full disk does not keep a group from its quorum: what is not new is then known for this life only. */
  async #saveMet(peer: MemberIdentity, isNew: boolean): Promise<void> {
    try {
      await this.#save(new Map(this.#known).set(peer.memberId, this.#metNow(peer)));
    } catch (error) {
      if (isNew || !isKontikiError(error, 'NO_SPACE')) throw error;
      this.#hasNewPledges = true;
    }
  }

  async #save(known: Map<MemberId, KnownPeer>): Promise<void> {
    if (this.#isClosed) throw kontikiError('CLOSED', 'node: closed');
    // Those that were removed are refused whatever they say.
    for (const peers of [known, this.#known]) {
      for (const id of peers.keys()) if (this.#view.isRemoved(id)) peers.delete(id);
    }
    await this.#memory.save(known);
  }

  #note({ id, term, lastIndex }: Pledge): void {
    const known = this.#known.get(id);
    if (known === undefined || !isBeyond({ term, lastIndex }, known)) return;
    this.#known.set(id, { ...known, term, lastIndex });
    this.#hasNewPledges = true;
  }

  /** Whether there is nothing about it to be remembered. */
  #remembers({ memberId, life }: MemberIdentity): boolean {
    const known = this.#known.get(memberId);
    return known !== undefined && (life === undefined || isSameLife(known, life));
  }

  #metNow({ memberId, dirId, life }: MemberIdentity): KnownPeer {
    const { term = 0, lastIndex = 0 } = this.#known.get(memberId) ?? {};
    return { dirId, life: life?.number ?? 0, token: life?.tokens[0] ?? 0, term, lastIndex };
  }

  /** About a peer that was never met: to be taken, if this member leads still, or for the leader to say. */
  #decide(peer: MemberIdentity): 'take' | 'confirm' | 'ask' {
    const view = this.#view;
    if (!view.leads()) {
      this.#checkStrangers(peer);
      // Nothing to forget; or a member that was added and has not applied that yet.
      return view.hasHistory() ? 'ask' : 'take';
    }
    if (view.isMember(peer.memberId)) return 'confirm';
    // The leader has applied what it committed, but for what it just did.
    const message = `node: expected a peer of this cluster, got member ${peer.memberId}`;
    throw kontikiError('MEMBER_UNKNOWN', message);
  }

  /** A later leader may have met the peer, and counted it, before its directory was lost. */
  async #confirmLead({ memberId }: MemberIdentity): Promise<void> {
    try {
      await this.#view.confirmLead();
    } catch (cause) {
      const message = `node: it is not certain any more that this member leads, which has to tell whether member ${memberId} is new`;
      throw kontikiError('NO_LEADER', message, { cause });
    }
  }

  async #ask(peer: MemberIdentity, probe: boolean): Promise<void> {
    try {
      await this.#view.vouch(peer, probe);
    } catch (error) {
      if (isErrorOf(error, refusals)) throw error;
      // It may have been added by entries that this member can get only from such members. It does
      // not count its vote before it has them.
      if (!this.#view.isMember(peer.memberId)) return;
      const message = `node: no leader can tell whether member ${peer.memberId} is new`;
      throw kontikiError('NO_LEADER', message, { cause: error });
    }
  }

  /** Those that it cannot place are taken while a group could have as many, or they would never end. */
  #checkStrangers({ memberId }: MemberIdentity): void {
    const view = this.#view;
    if (view.isMember(memberId)) return;
    const isStranger = (id: MemberId) => !view.isMember(id) && !view.isRemoved(id);
    const count = [...this.#known.keys()].filter(isStranger).length;
    if (count < limits.membersMax) return;
    const message = `node: expected at most ${limits.membersMax} peers that no list names, met ${memberId}`;
    throw kontikiError('NO_LEADER', message);
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
    this.#checkRemoved(peer);
    const known = this.#known.get(peer.memberId);
    if (known === undefined) return;
    if (known.dirId !== peer.dirId) {
      throw kontikiError(
        'MEMBER_IDENTITY_CHANGED',
        // The known one stays unsaid: who knows it could speak for it.
        `node: expected member ${peer.memberId} with another data directory than ${peer.dirId}: ` +
          'a member whose directory was lost must be replaced under a new id',
      );
    }
    if (peer.life !== undefined) this.#checkLife(peer.memberId, peer.life);
  }

  #checkRemoved({ memberId }: MemberIdentity): void {
    if (!this.#view.isRemoved(memberId)) return;
    throw kontikiError('MEMBER_REMOVED', `node: member ${memberId} was removed`);
  }

  #checkLife(id: MemberId, life: DirectoryLife): void {
    for (const pledge of this.#view.pledges()) if (pledge.id === id) this.#note(pledge);
    const evidence = copyEvidence(this.#known.get(id) as KnownPeer, life);
    if (evidence === undefined) return;
    throw kontikiError(
      'MEMBER_ROLLED_BACK',
      `node: the data directory of member ${id} is an old copy, or was opened elsewhere as well: ` +
        `${evidence}; replace the member under a new id`,
    );
  }
}
