/**
 * One member whose peers are the test itself: messages are stepped in by hand, and what leaves is
 * looked at. Its disk and state machine work when the test says so.
 */
import { Prng } from '../../src/base/prng.js';
import {
  type Entry,
  type HardState,
  type LogId,
  type MemberId,
  type Message,
  type PeerMessage,
  type ProgressStatus,
  RawNode,
  type Ready,
  type StorageApply,
} from '../../src/raft/index.js';
import { freeze, type MemberOptions } from './cluster.js';
import { MemberStore } from './member-store.js';

export interface LoneOptions extends MemberOptions {
  readonly id?: MemberId;
  /** Default 1, 2, 3. */
  readonly voters?: readonly MemberId[];
  /** Terms of the stored log. */
  readonly terms?: readonly number[];
  readonly hardState?: HardState;
  readonly applied?: number;
}

export class LoneNode {
  readonly id: MemberId;
  readonly voters: readonly MemberId[];
  readonly node: RawNode;
  readonly store: MemberStore;
  readonly applied: Entry[] = [];

  /** Pre-vote and check-quorum are off unless asked for: most tests are about something else. */
  constructor(options: LoneOptions = {}) {
    const { id = 1, voters = [1, 2, 3], terms, hardState, applied = 0, ...raft } = options;
    this.id = id;
    this.voters = voters;
    this.store = MemberStore.of(voters, {
      ...(terms && { terms }),
      ...(hardState && { hardState }),
    });
    this.node = new RawNode({
      preVote: false,
      checkQuorum: false,
      ...raft,
      id,
      applied,
      reader: this.store,
      random: new Prng(1),
    });
  }

  /** Steps a message, frozen through and through. */
  step(message: Message): void {
    this.node.step(freeze(message));
    this.node.check();
  }

  tick(count = 1): void {
    for (let tick = 0; tick < count; tick += 1) {
      this.node.tick();
      this.node.check();
    }
  }

  propose(...commands: readonly string[]): LogId {
    const first = this.node.propose(commands.map((command) => new TextEncoder().encode(command)));
    this.node.check();
    if (first === undefined) throw new Error('passed on');
    return first;
  }

  /** Takes a Ready and hands its write to the disk, which does not finish it. */
  ready(): Ready {
    const ready = this.node.ready();
    if (ready.append !== undefined) this.store.accept(ready.append);
    this.node.check();
    return ready;
  }

  /** Finishes the oldest write: steps the member's own answers, returns those to others. */
  completeAppend(): PeerMessage[] {
    const out: PeerMessage[] = [];
    for (const message of this.store.complete()?.responses ?? []) {
      if (message.to === this.id) this.step(message);
      else out.push(message as PeerMessage);
    }
    return out;
  }

  completeApply(apply: StorageApply | undefined): void {
    if (apply === undefined) return;
    this.applied.push(...apply.entries);
    this.step(apply.response);
  }

  /** Carries out everything, and returns what left, in order. */
  flush(): PeerMessage[] {
    const out: PeerMessage[] = [];
    while (this.node.hasReady()) {
      const ready = this.ready();
      out.push(...ready.messages);
      while (this.store.pendingAppends > 0) out.push(...this.completeAppend());
      this.completeApply(ready.apply);
    }
    return out;
  }

  /** Wins an election by everybody's vote; returns what a new leader sends. */
  lead(): PeerMessage[] {
    this.node.campaign();
    this.flush();
    const { term } = this.node.status();
    for (const from of this.voters) {
      if (from === this.id || this.node.status().role === 'leader') continue;
      this.step({ kind: 'vote-response', from, to: this.id, term, granted: true });
    }
    return this.flush();
  }

  /** A peer acknowledges up to `index` in the current term. */
  acknowledge(from: MemberId, index: number): PeerMessage[] {
    const { term } = this.node.status();
    this.step({ kind: 'append-response', from, to: this.id, term, index });
    return this.flush();
  }

  reject(from: MemberId, index: number, hint: LogId): PeerMessage[] {
    const { term } = this.node.status();
    this.step({ kind: 'append-response', from, to: this.id, term, index, hint });
    return this.flush();
  }

  heard(from: MemberId): PeerMessage[] {
    const { term } = this.node.status();
    this.step({ kind: 'heartbeat-response', from, to: this.id, term, reads: 0, sentAt: 0 });
    return this.flush();
  }

  progress(id: MemberId): ProgressStatus {
    const progress = this.node.status().progress.find((each) => each.id === id);
    if (progress === undefined) throw new Error(`no progress of ${id}`);
    return progress;
  }

  get terms(): readonly number[] {
    return this.store.written.entries.map((entry) => entry.term);
  }
}

/** Appends among messages, as `to: previous+count`. */
export function appends(messages: readonly PeerMessage[]): string[] {
  return messages.flatMap((message) =>
    message.kind === 'append-request'
      ? [`${message.to}: ${message.previous.index}+${message.entries.length}`]
      : [],
  );
}
