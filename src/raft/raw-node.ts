/**
 * The core's public face: inputs in, one `Ready` of effects out. Synchronous, without clock, I/O or
 * randomness of its own; not re-entrant. Values passed in or out are never changed afterwards, by
 * either side.
 */
import { assert } from '../base/assert.js';
import { kontikiError } from '../base/errors.js';
import { campaign } from './candidate.js';
import { type RaftOptions, raftConfig } from './config.js';
import { checkInvariants } from './invariants.js';
import { broadcastHeartbeat, entryBytes, propose, resumeFetched } from './leader.js';
import type { Message } from './messages.js';
import { Raft } from './raft.js';
import { readIndex } from './read-index.js';
import type { Ready, StorageAppend, StorageApply } from './ready.js';
import { type RaftStatus, statusOf } from './status.js';
import type { HardState, IndexRange, LogId, MemberId, Role, SoftState } from './types.js';

/**
 * One member of a Raft group.
 *
 * Storage and state machine are two more addressees: `Ready.append` and `Ready.apply` go out, their
 * responses come back through `step`. Contract of the driver: docs/api/raft.md.
 *
 * @since 0.1.0
 */
export class RawNode {
  readonly #raft: Raft;
  #softState: SoftState;
  #hardState: HardState;

  /**
   * @throws {KontikiError} OPTIONS_INVALID
   */
  constructor(options: RaftOptions) {
    this.#raft = new Raft(raftConfig(options));
    this.#softState = this.#currentSoftState();
    this.#hardState = this.#raft.hardState;
  }

  get term(): number {
    return this.#raft.term;
  }

  get role(): Role {
    return this.#raft.role;
  }

  /** `noMember` while none is known. */
  get leader(): MemberId {
    return this.#raft.leader;
  }

  /** One unit of logical time passed. */
  tick(): void {
    this.#raft.tick();
  }

  /** Starts an election now (pre-vote first, if configured); nothing on a leader. */
  campaign(): void {
    if (this.#raft.role === 'leader' || !this.#raft.promotable) return;
    campaign(this.#raft, this.#raft.config.preVote ? 'pre-vote' : 'vote');
  }

  /**
   * A follower stops believing in its leader: it grants votes again, and sends nothing there. Term,
   * vote and election timer stay, and the leader is back with its next message. For drivers that
   * have reason to think its process is gone; nothing on any other role.
   */
  forgetLeader(): void {
    this.#raft.forgetLeader();
  }

  /**
   * Appends commands to the leader's log, in order, as consecutive entries.
   *
   * @param commands - at least one; owned by the core afterwards
   * @returns id of the first entry. It may still be lost without notice if the leader changes.
   * @throws {KontikiError} NOT_LEADER, PROPOSAL_DROPPED: nothing was appended
   */
  propose(commands: readonly Uint8Array[]): LogId {
    return propose(this.#raft, commands);
  }

  /**
   * Takes a message of a peer, or the answer of the own storage or state machine.
   *
   * @throws {KontikiError} MEMBER_UNKNOWN, when an answer comes from no member; ARGUMENT_INVALID,
   *   when it is for somebody else, or a local answer comes from a peer; STATE_CORRUPT, when it
   *   shows that this member lost acknowledged entries
   */
  step(message: Message): void {
    const local =
      message.kind === 'storage-append-response' || message.kind === 'storage-apply-response';
    if (message.to !== this.#raft.id || (local && message.from !== this.#raft.id)) {
      throw kontikiError(
        'ARGUMENT_INVALID',
        `raft: expected a message for member ${this.#raft.id}, ` +
          `got ${message.kind} from ${message.from} to ${message.to}`,
      );
    }
    // Before anything else: a stranger's answer in a later term must not depose a leader (§5).
    if (isAnswer(message)) this.#raft.peer(message.from);
    this.#raft.step(message);
  }

  /**
   * Asks for an index to read at; the answer comes as `Ready.reads`, or never: requests are lost with
   * messages and leaders. Ask again with another id.
   *
   * @param readId - a safe integer, never used twice by this member
   * @throws {KontikiError} NO_LEADER, OVERLOADED
   */
  readIndex(readId: number): void {
    readIndex(this.#raft, readId);
  }

  /** Entries of a range of `Ready.fetch` are in memory now. */
  entriesFetched(range: IndexRange): void {
    resumeFetched(this.#raft, range.lo);
  }

  /** Whether `ready` has anything to say. */
  hasReady(): boolean {
    const raft = this.#raft;
    return (
      raft.messages.length > 0 ||
      raft.afterPersist.length > 0 ||
      raft.fetch.length > 0 ||
      raft.readStates.length > 0 ||
      raft.wantsHeartbeat ||
      raft.log.hasUntaken ||
      raft.log.hasCommitted ||
      this.#hardStateChanged() ||
      this.#softStateChanged()
    );
  }

  /** Takes the effects since the last call; they count as under way from now on. */
  ready(): Ready {
    const raft = this.#raft;
    if (raft.wantsHeartbeat) broadcastHeartbeat(raft);
    const softState = this.#softStateChanged() ? this.#currentSoftState() : undefined;
    if (softState !== undefined) this.#softState = softState;
    const append = this.#takeAppend();
    const apply = this.#takeApply();
    const ready: { -readonly [K in keyof Ready]: Ready[K] } = {
      reads: raft.readStates,
      messages: raft.messages,
      fetch: raft.fetch,
    };
    if (softState !== undefined) ready.softState = softState;
    if (append !== undefined) ready.append = append;
    if (apply !== undefined) ready.apply = apply;
    raft.messages = [];
    raft.fetch = [];
    raft.readStates = [];
    return ready;
  }

  #takeAppend(): StorageAppend | undefined {
    const raft = this.#raft;
    const changed = this.#hardStateChanged();
    if (!changed && !raft.log.hasUntaken && raft.afterPersist.length === 0) return undefined;
    const entries = raft.log.takeUnstable();
    const hardState = raft.hardState;
    const mustSync =
      entries.length > 0 ||
      hardState.term !== this.#hardState.term ||
      hardState.vote !== this.#hardState.vote;
    this.#hardState = hardState;
    const responses: Message[] = raft.afterPersist;
    raft.afterPersist = [];
    if (raft.log.hasUnstable) {
      // Attests the whole tail again, so that a response ignored after a term change is made good
      // by a later one (ABA, semantics §16).
      const { id, term } = raft;
      const { last } = raft.log;
      responses.push({ kind: 'storage-append-response', from: id, to: id, term, last });
    }
    return changed ? { hardState, entries, mustSync, responses } : { entries, mustSync, responses };
  }

  #takeApply(): StorageApply | undefined {
    const raft = this.#raft;
    const entries = raft.log.takeCommitted();
    const last = entries[entries.length - 1];
    if (last === undefined) return undefined;
    const { payload, encoded } = entryBytes(entries);
    return {
      entries,
      response: {
        kind: 'storage-apply-response',
        from: raft.id,
        to: raft.id,
        term: 0,
        index: last.index,
        payloadBytes: payload,
        encodedBytes: encoded,
      },
    };
  }

  /** A copy of the state, for people, metrics and tests. */
  status(): RaftStatus {
    return statusOf(this.#raft);
  }

  /** Asserts the invariants of one member; tests and simulations call it after every step. */
  check(): void {
    assert(this.#hardState.term <= this.#raft.term, 'the term never falls');
    checkInvariants(this.#raft);
  }

  #currentSoftState(): SoftState {
    return { leader: this.#raft.leader, role: this.#raft.role };
  }

  #softStateChanged(): boolean {
    const { leader, role } = this.#softState;
    return leader !== this.#raft.leader || role !== this.#raft.role;
  }

  #hardStateChanged(): boolean {
    const { term, vote, commit } = this.#hardState;
    const raft = this.#raft;
    return term !== raft.term || vote !== raft.vote || commit !== raft.log.committed;
  }
}

function isAnswer({ kind }: Message): boolean {
  return (
    kind === 'append-response' ||
    kind === 'heartbeat-response' ||
    kind === 'vote-response' ||
    kind === 'pre-vote-response' ||
    kind === 'read-response'
  );
}
