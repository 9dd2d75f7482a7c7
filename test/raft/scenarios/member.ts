/**
 * One member of a scenario with its disk and its state machine. Alone, the test is its peers: it
 * steps messages in by hand and looks at what `flush` returns. Several make a `Network`.
 *
 * The reference's defaults hold where ours differ: no pre-vote, no quorum check, proposals are
 * passed on, and a removed leader goes on.
 */
import { Prng, type Random } from '../../../src/base/prng.js';
import {
  type ConfState,
  decodeConfChange,
  type Entry,
  type HardState,
  type LogId,
  type MemberId,
  type Message,
  type PeerMessage,
  type RaftOptions,
  RawNode,
  type ReadState,
  type Ready,
  type Role,
  type StorageAppend,
  type StorageApply,
} from '../../../src/raft/index.js';
import type { Progress } from '../../../src/raft/progress.js';
import type { Raft } from '../../../src/raft/raft.js';
import { coreOf } from '../../../src/raft/raw-node.js';
import { freeze } from '../cluster.js';
import { Disk } from './disk.js';

export interface MemberSetup
  extends Partial<Omit<RaftOptions, 'id' | 'reader' | 'random' | 'latestSnapshot'>> {
  readonly id?: MemberId;
  /** Default 1, 2, 3. */
  readonly voters?: readonly MemberId[];
  readonly learners?: readonly MemberId[];
  /** Terms of the stored log. */
  readonly terms?: readonly number[];
  /** Last entry of a stored snapshot, behind which the log begins. */
  readonly start?: LogId;
  /** Default: the last term of the log, no vote, commit where the log begins. */
  readonly hardState?: HardState;
  readonly random?: Random;
}

export class Member {
  readonly id: MemberId;
  readonly disk: Disk;
  readonly node: RawNode;
  /** The inside, for what no message and no status shows. */
  readonly core: Raft;
  readonly applied: Entry[] = [];
  readonly reads: ReadState[] = [];
  /** Under way to disk and state machine. */
  readonly appends: StorageAppend[] = [];
  readonly applies: StorageApply[] = [];
  /** Leave what is under way there. */
  holdAppends = false;
  holdApplies = false;
  /** Whether the application makes committed changes count. */
  acceptsChanges = true;
  /** False for states that cannot be, which some rows are about. */
  checked = true;

  constructor(setup: MemberSetup = {}) {
    const { id = 1, voters = [1, 2, 3], learners = [], terms, start, hardState, ...raft } = setup;
    const configuration: ConfState = { voters, learners };
    this.id = id;
    this.disk = new Disk({ configuration, terms, start, hardState: hardState ?? stateOf(setup) });
    this.node = new RawNode({
      preVote: false,
      checkQuorum: false,
      proposalForwarding: true,
      stepDownOnRemoval: false,
      appendBytesMax: Infinity,
      uncommittedBytesMax: Infinity,
      applyBytesMax: Infinity,
      inflightMessagesMax: 256,
      random: new Prng(id),
      ...raft,
      id,
      reader: this.disk,
      latestSnapshot: () => this.disk.snapshot,
    });
    this.core = coreOf(this.node);
  }

  get role(): Role {
    return this.node.role;
  }

  get term(): number {
    return this.node.term;
  }

  get isLearner(): boolean {
    return this.core.configuration.learners.includes(this.id);
  }

  get commit(): number {
    return this.core.log.committed;
  }

  get lastIndex(): number {
    return this.core.log.lastIndex;
  }

  /** What the leader knows of a peer. */
  progress(id: MemberId): Progress {
    const progress = this.core.progress.get(id);
    if (progress === undefined) throw new Error(`no progress of ${id}`);
    return progress;
  }

  /** What the application has been given, as text. */
  get data(): readonly string[] {
    return this.applied.map((entry) => new TextDecoder().decode(entry.data));
  }

  /** An input, and the invariants after it. */
  do(act: (node: RawNode) => void): void {
    act(this.node);
    if (this.checked) this.node.check();
  }

  step(message: Message): void {
    this.do((node) => node.step(freeze(message)));
  }

  tick(count = 1, nowMs?: number): void {
    for (let tick = 0; tick < count; tick += 1) this.do((node) => node.tick(nowMs));
  }

  propose(...commands: readonly string[]): void {
    this.do((node) => node.propose(commands.map((command) => new TextEncoder().encode(command))));
  }

  /** Takes a `Ready`; its write and its entries are under way then. */
  ready(): Ready {
    const ready = this.node.ready();
    if (ready.append !== undefined) this.appends.push(ready.append);
    if (ready.apply !== undefined) this.applies.push(ready.apply);
    this.reads.push(...ready.reads);
    if (this.checked) this.node.check();
    return ready;
  }

  /** Finishes the oldest write: steps its answers for this member, returns those for others. */
  completeAppend(): PeerMessage[] {
    const append = this.appends.shift();
    if (append === undefined) throw new Error('nothing is being written');
    this.disk.write(append);
    const out: PeerMessage[] = [];
    for (const message of append.responses) {
      if (message.to === this.id) this.step(message);
      else out.push(message as PeerMessage);
    }
    return out;
  }

  completeApply(): void {
    const apply = this.applies.shift();
    if (apply === undefined) throw new Error('nothing is being applied');
    for (const entry of apply.entries) {
      this.applied.push(entry);
      if (entry.type === 'normal' || !this.acceptsChanges) continue;
      this.do((node) => node.applyConfChange(decodeConfChange(entry)));
    }
    this.step(apply.response);
  }

  /** Carries everything out that is not held, and returns what left, in order. */
  flush(): PeerMessage[] {
    const out: PeerMessage[] = [];
    for (;;) {
      if (this.node.hasReady()) out.push(...this.ready().messages);
      else if (this.appends.length > 0 && !this.holdAppends) out.push(...this.completeAppend());
      else if (this.applies.length > 0 && !this.holdApplies) this.completeApply();
      else return out;
    }
  }

  /** Takes a role at once, without an election or a message, as the reference's tests do. */
  become(role: Role, leader: MemberId = 0): void {
    const { core } = this;
    if (role === 'follower') core.becomeFollower(core.term, leader);
    else if (role === 'pre-candidate') core.becomePreCandidate();
    else core.becomeCandidate();
    if (role === 'leader') core.becomeLeader();
    if (this.checked) this.node.check();
  }

  /** Takes the role as {@link become}, and leaves all that it wanted to say unsaid. */
  lead(): this {
    this.become('leader');
    this.flush();
    return this;
  }

  vote(from: MemberId, granted = true): void {
    this.step({ kind: 'vote-response', from, to: this.id, term: this.term, granted });
  }

  /** A peer acknowledges up to `index`. Returns what leaves then. */
  ack(from: MemberId, index: number): PeerMessage[] {
    this.step({ kind: 'append-response', from, to: this.id, term: this.term, index });
    return this.flush();
  }

  reject(from: MemberId, index: number, hint: LogId): PeerMessage[] {
    this.step({ kind: 'append-response', from, to: this.id, term: this.term, index, hint });
    return this.flush();
  }

  /** A peer answers a heartbeat. */
  heard(from: MemberId, reads = 0): PeerMessage[] {
    const { id: to, term } = this;
    this.step({ kind: 'heartbeat-response', from, to, term, reads, sentAt: 0 });
    return this.flush();
  }
}

function stateOf({ terms = [], start }: MemberSetup): HardState {
  const term = terms[terms.length - 1] ?? start?.term ?? 0;
  return { term, vote: 0, commit: start?.index ?? 0 };
}

/** Those of one kind, typed. */
export function only<K extends PeerMessage['kind']>(kind: K, messages: readonly PeerMessage[]) {
  return messages.filter((each): each is Extract<PeerMessage, { kind: K }> => each.kind === kind);
}
