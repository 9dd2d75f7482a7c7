/**
 * One member of a scenario with its disk and state machine. Its peers are the test, or a `Net`. It runs
 * in both modes of storage; options are those of the reference unless a row says otherwise.
 */
import { isKontikiError } from '../../../src/base/errors.js';
import { Prng, type Random } from '../../../src/base/prng.js';
import {
  type ConfState,
  decodeConfChange,
  type Entry,
  type MemberId,
  type Message,
  type PeerMessage,
  type ProgressStatus,
  type RaftOptions,
  type RaftStatus,
  RawNode,
  type ReadState,
  type Ready,
  type StorageApply,
} from '../../../src/raft/index.js';
import type { Progress } from '../../../src/raft/progress.js';
import type { Raft } from '../../../src/raft/raft.js';
import { coreOf } from '../../../src/raft/raw-node.js';
import { freeze } from '../cluster.js';
import { bytes, Disk, type DiskContent } from './disk.js';

export type CoreOptions = Partial<Omit<RaftOptions, 'id' | 'reader' | 'random' | 'applied'>>;

export interface SoloOptions extends CoreOptions, Omit<DiskContent, 'configuration'> {
  readonly id?: MemberId;
  /** Default 1, 2, 3. */
  readonly voters?: readonly MemberId[];
  readonly learners?: readonly MemberId[];
  /** Instead of `voters` and `learners`. */
  readonly configuration?: ConfState;
  readonly applied?: number;
  readonly random?: Random;
  /** Instead of what the other options describe. */
  readonly disk?: Disk;
}

/** The reference's defaults; ours are safer, and would hide what the rows are about. */
export const referenceOptions = {
  electionTicks: 10,
  heartbeatTicks: 1,
  preVote: false,
  checkQuorum: false,
  stepDownOnRemoval: false,
  proposalForwarding: true,
} as const;

/** Without the envelope: a `Solo` fills in what can only be one thing. */
export type Loose<M extends Message = Message> = M extends Message
  ? Omit<M, 'to' | 'term'> & { readonly to?: MemberId; readonly term?: number }
  : never;

export class Solo {
  readonly id: MemberId;
  readonly disk: Disk;
  readonly #options: CoreOptions;
  readonly #random: Random;
  node: RawNode;
  /** What the state machine was given, since the last start. */
  applied: Entry[] = [];
  reads: ReadState[] = [];
  /** Committed changes of the configuration that could not be made. */
  refused: unknown[] = [];

  constructor(options: SoloOptions = {}) {
    const { id = 1, voters = [1, 2, 3], learners = [], configuration, applied = 0 } = options;
    const { base, terms, entries, hardState, random, disk, ...core } = options;
    for (const key of ['id', 'voters', 'learners', 'configuration', 'applied'] as const) {
      delete (core as Record<string, unknown>)[key];
    }
    this.id = id;
    this.#options = core;
    this.#random = random ?? new Prng(id);
    this.disk =
      disk ??
      new Disk({
        ...(base && { base }),
        ...(terms && { terms }),
        ...(entries && { entries }),
        ...(hardState && { hardState }),
        configuration: configuration ?? { voters, learners },
      });
    this.node = this.#start(applied);
  }

  #start(applied: number): RawNode {
    this.disk.applied = applied;
    return new RawNode({
      ...referenceOptions,
      ...this.#options,
      id: this.id,
      reader: this.disk,
      random: this.#random,
      applied,
    });
  }

  /** The process dies and starts again over what was durable. */
  restart(options: { readonly survivors?: number; readonly applied?: number } = {}): void {
    this.disk.crash(options.survivors ?? 0);
    this.applied = [];
    this.reads = [];
    this.node = this.#start(options.applied ?? 0);
  }

  get core(): Raft {
    return coreOf(this.node);
  }

  get status(): RaftStatus {
    return this.node.status();
  }

  get sync(): boolean {
    return !this.core.config.asyncStorageWrites;
  }

  progress(id: MemberId): Progress {
    const progress = this.core.progress.get(id);
    if (progress === undefined) throw new Error(`no progress of ${id}`);
    return progress;
  }

  progressStatus(id: MemberId): ProgressStatus {
    const found = this.status.progress.find((each) => each.id === id);
    if (found === undefined) throw new Error(`no progress of ${id}`);
    return found;
  }

  /** Terms of the log as accepted by the disk. */
  get terms(): readonly number[] {
    return this.disk.written.entries.map(({ term }) => term);
  }

  /** Steps a message, frozen through and through, to this member and in its term by default. */
  step(message: Loose): void {
    this.node.step(freeze({ term: this.node.term, to: this.id, ...message } as Message));
    this.node.check();
  }

  tick(count = 1, nowMs?: () => number): void {
    for (let tick = 0; tick < count; tick += 1) {
      this.node.tick(nowMs?.());
      this.node.check();
    }
  }

  campaign(): void {
    this.node.campaign();
    this.node.check();
  }

  propose(...commands: readonly (string | Uint8Array)[]): void {
    this.node.propose(commands.map((each) => (typeof each === 'string' ? bytes(each) : each)));
    this.node.check();
  }

  /** Takes a Ready; its write is accepted and not finished. */
  ready(): Ready {
    const ready = freeze(this.node.ready());
    if (ready.append !== undefined) this.disk.accept(ready.append);
    this.reads.push(...ready.reads);
    this.node.check();
    return ready;
  }

  /** Finishes the oldest write: steps this member's own answers, returns those to others. */
  completeAppend(): PeerMessage[] {
    const out: PeerMessage[] = [];
    for (const message of this.disk.complete().responses) {
      if (message.to === this.id) this.step(message);
      else out.push(message as PeerMessage);
    }
    return out;
  }

  /** Finishes every write. */
  persist(): PeerMessage[] {
    const out: PeerMessage[] = [];
    while (this.disk.pending.length > 0) out.push(...this.completeAppend());
    return out;
  }

  /** The state machine takes a batch; asynchronously it answers at once. */
  apply(batch: StorageApply | undefined): void {
    for (const entry of batch?.entries ?? []) {
      this.applied.push(entry);
      if (entry.type !== 'normal') this.#applyChange(entry);
    }
    if (batch !== undefined && !this.sync) this.step(batch.response);
  }

  #applyChange(entry: Entry): void {
    try {
      const configuration = this.node.applyConfChange(decodeConfChange(entry));
      this.disk.configured(entry.index, configuration);
    } catch (error) {
      if (!isKontikiError(error, 'CONFIGURATION_INVALID')) throw error;
      this.refused.push(error);
    }
    this.node.check();
  }

  /** Carries one Ready out; returns what left, in order. */
  turn(): PeerMessage[] {
    const ready = this.ready();
    const out = [...ready.messages, ...this.persist()];
    this.apply(ready.apply);
    if (this.sync) this.node.advance();
    this.node.check();
    return out;
  }

  /** Carries everything out; returns what left, in order. */
  flush(): PeerMessage[] {
    const out: PeerMessage[] = [];
    while (this.node.hasReady()) out.push(...this.turn());
    return out;
  }

  /** Wins an election by everybody's vote; returns what a new leader sends. */
  lead(): PeerMessage[] {
    this.campaign();
    this.flush();
    const { voters, votersOutgoing } = this.node.configuration;
    for (const from of [...voters, ...votersOutgoing]) {
      if (from === this.id || this.node.role === 'leader') continue;
      this.step({ kind: 'vote-response', from, granted: true });
    }
    if (this.node.role !== 'leader') throw new Error(`${this.id} is a ${this.node.role}`);
    return this.flush();
  }

  /** A peer acknowledges up to `index`; default everything. Returns what left. */
  acknowledge(from: MemberId, index = this.core.log.lastIndex): PeerMessage[] {
    this.step({ kind: 'append-response', from, index });
    return this.flush();
  }

  /** A peer answers a heartbeat. Returns what left. */
  heard(from: MemberId, reads = 0, sentAt = 0): PeerMessage[] {
    this.step({ kind: 'heartbeat-response', from, reads, sentAt });
    return this.flush();
  }
}

/** The messages of one kind. */
export function only<K extends PeerMessage['kind']>(
  messages: readonly Message[],
  kind: K,
): Extract<PeerMessage, { kind: K }>[] {
  return messages.filter((message) => message.kind === kind) as never;
}

/** Appends among messages, as `to: previous+count`. */
export function appends(messages: readonly Message[]): string[] {
  return only(messages, 'append-request').map(
    ({ to, previous, entries }) => `${to}: ${previous.index}+${entries.length}`,
  );
}

/** Texts of the entries that carry anything. */
export function texts(entries: readonly Entry[]): string[] {
  return entries
    .filter(({ type, data }) => type === 'normal' && data.length > 0)
    .map(({ data }) => new TextDecoder().decode(data));
}
