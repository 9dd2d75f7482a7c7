/**
 * The driver's snapshots: one door to making, sending, receiving and installing them, and to letting
 * the log go of what they make unneeded. All of it answers in a later turn of the node.
 */
import { isErrorOf, kontikiError } from '../base/errors.js';
import { letGo } from '../base/let-go.js';
import { limits } from '../base/limits.js';
import { randomId } from '../base/prng.js';
import { sleep } from '../base/sleep.js';
import type { SnapshotAck, SnapshotChunk, WireMessage } from '../codec/wire-message.js';
import type { ConfState } from '../raft/configuration.js';
import type { LocalMessage, SnapshotRequest } from '../raft/messages.js';
import type { RawNode } from '../raft/raw-node.js';
import type { StorageAppend } from '../raft/ready.js';
import type { LogId, MemberId, Snapshot } from '../raft/types.js';
import type { LogStore } from '../storage/log-store.js';
import type { SnapshotMeta, SnapshotStore } from '../storage/snapshot-store.js';
import type { ApplyLoop } from './apply-loop.js';
import type { NodeEvents } from './events.js';
import { LogTrimmer } from './log-trimmer.js';
import { MemberDirectory } from './member-directory.js';
import type { NodeOptions } from './node-options.js';
import { installSnapshot } from './snapshot-install.js';
import { SnapshotMaker } from './snapshot-maker.js';
import { SnapshotPace } from './snapshot-pace.js';
import { SnapshotReceiver, streamData } from './snapshot-receiver.js';
import { SnapshotStream, type StreamEnd } from './snapshot-stream.js';
import type { StateMachine } from './state-machine.js';

/** What the node is told. @since 0.1.0 */
export interface SnapshotHandlers {
  /** A turn is due. */
  wake(): void;
  /** Log and state machine durably stand at `last`; `sent` is as it was given to `taken`. */
  onInstalled(last: LogId, sent: readonly number[]): void;
  /** Members at the last entry handed to the state machine. */
  configuration(): ConfState;
  /** The state machine stands at a snapshot with these members. */
  onRestored(configuration: ConfState): void;
  /** A snapshot that was being sent arrived, or did not, or could not be made. */
  onSent?(fact: NodeEvents['snapshot'][0]): void;
}

interface Parts {
  readonly env: NodeOptions['env'];
  readonly log: LogStore;
  readonly machine: StateMachine;
  readonly store: SnapshotStore;
  readonly apply: ApplyLoop;
  readonly raft: RawNode;
  readonly handlers: SnapshotHandlers;
}

/** A snapshot that the core handed out to be installed, and the proposals it may carry. */
interface Taken {
  readonly last: LogId;
  readonly sent: readonly number[];
}

type SnapshotMessage = SnapshotRequest | SnapshotChunk | SnapshotAck;

/** Before a state for which there was no space on the disk is loaded again, in milliseconds. */
const installAgainMs = 1_000;
/** Of the core, and of what is kept beside a configuration. */
const refusals = [
  'ARGUMENT_INVALID',
  'FORMAT_UNSUPPORTED',
  'FRAME_INVALID',
  'MEMBER_UNKNOWN',
  'MESSAGE_INVALID',
] as const;
const noData = new Uint8Array(0);
const noRequests: readonly SnapshotRequest[] = [];

/** @since 0.1.0 */
export class Snapshots {
  readonly #parts: Parts;
  readonly #maker: SnapshotMaker;
  readonly #receiver: SnapshotReceiver;
  readonly #trimmer: LogTrimmer;
  readonly #streams = new Map<MemberId, { readonly stream: SnapshotStream; readonly id: number }>();
  /** What each member was last sent, as long as it did not arrive: it may go on with it. */
  readonly #unfinished = new Map<MemberId, { readonly meta: SnapshotMeta; readonly id: number }>();
  readonly #pace: SnapshotPace;
  readonly #chunkBytes: number;
  /** Random at first, so that the streams of an earlier life are not meant. */
  #lastId: number;
  #stored: readonly SnapshotRequest[] = noRequests;
  /** Not installed yet, in order. */
  #taken: readonly Taken[] = [];
  #installedIndex = 0;
  /** Removals under way that nobody waits for but a stop. */
  readonly #removals = new Set<Promise<void>>();
  readonly #interruption = new AbortController();

  private constructor(parts: Parts, options: NodeOptions) {
    const { apply, env, handlers, log, machine, raft, store } = parts;
    this.#parts = parts;
    this.#lastId = randomId(env.random);
    const { snapshotBytesPerSecond = limits.snapshotBytesPerSecond } = options;
    this.#chunkBytes = Math.min(options.snapshotChunkBytes ?? Infinity, limits.snapshotChunkBytes);
    const nowMs = () => env.clock.monotonicMs();
    this.#pace = new SnapshotPace(snapshotBytesPerSecond, this.#chunkBytes, nowMs);
    const configuration = () => handlers.configuration();
    this.#maker = new SnapshotMaker({
      ...{ log, machine, store, apply, configuration },
      ...{ tracing: env.tracing, memberId: raft.id },
      onFailed: (error) => {
        handlers.onSent?.({ kind: 'failed', index: raft.status().applied, error });
      },
    });
    this.#receiver = new SnapshotReceiver({
      store,
      nowMs,
      isNeeded: ({ index, term }) => index > raft.status().commit && log.term(index) !== term,
      send: (message) => this.#send(message),
      onStored: (request) => {
        const snapshot = { ...request.snapshot, data: noData };
        this.#stored = [...this.#stored, { ...request, snapshot }];
        handlers.wake();
      },
    });
    const pinnedIndex = () => this.#maker.pinnedIndex;
    this.#trimmer = new LogTrimmer({ log, machine, raft, limits: options.retention, pinnedIndex });
  }

  /** For a node that can both make and take snapshots; `undefined` for others. */
  static of(
    options: NodeOptions,
    raft: RawNode,
    apply: ApplyLoop,
    handlers: SnapshotHandlers,
  ): Snapshots | undefined {
    const { env, log, snapshots: store, stateMachine: machine } = options;
    if (machine.snapshot === undefined || machine.restore === undefined) return undefined;
    if (store === undefined) return undefined;
    return new Snapshots({ env, log, machine, store, apply, raft, handlers }, options);
  }

  /** For the core: a snapshot for a member that needs one, or none yet. */
  latest(): Snapshot | undefined {
    // What another leader was sending here would keep this one from making its own.
    this.#receiver.giveUp();
    const meta = this.#maker.latest();
    return meta && { last: meta.last, configuration: meta.configuration, data: noData };
  }

  /** Last entry in the newest one that was made or installed here; 0 for none. */
  get newestIndex(): number {
    return Math.max(this.#maker.newestIndex, this.#installedIndex);
  }

  /** For the core's message: streams the snapshot to its member, in place of any other. */
  send(message: SnapshotRequest): void {
    const { to, snapshot } = message;
    const before = this.#streams.get(to);
    // The core has begun anew: that this one ended would end the next one with it.
    this.#streams.delete(to);
    before?.stream.end('failed');
    const meta = this.#maker.latest();
    if (meta?.last.index !== snapshot.last.index) return this.#report(to, false);
    try {
      this.#stream(message, meta);
    } catch {
      // Found to be damaged before its first byte.
      this.#onEnd(to, 'damaged', meta);
    }
  }

  #stream(message: SnapshotRequest, meta: SnapshotMeta): void {
    const { env, store } = this.#parts;
    const { to, snapshot } = message;
    const unfinished = this.#unfinished.get(to);
    // By the same name only what is the same file: another one of that entry is cut otherwise.
    const id = unfinished?.meta === meta ? unfinished.id : this.#newId();
    this.#unfinished.set(to, { meta, id });
    const stream: SnapshotStream = new SnapshotStream({
      request: { ...message, snapshot: { ...snapshot, data: streamData(id) } },
      id,
      chunks: store.read(meta),
      nowMs: () => env.clock.monotonicMs(),
      ...{ pace: this.#pace, chunkBytes: this.#chunkBytes },
      send: (each) => this.#send(each),
      onEnd: (end) => {
        if (this.#streams.get(to)?.stream === stream) this.#onEnd(to, end, meta);
      },
    });
    this.#streams.set(to, { stream, id });
  }

  #newId(): number {
    this.#lastId = this.#lastId >= Number.MAX_SAFE_INTEGER - 1 ? 1 : this.#lastId + 1;
    return this.#lastId;
  }

  /** A message of a peer. */
  onMessage(message: SnapshotMessage): void {
    if (message.kind === 'snapshot-request') {
      // One of a leader that was replaced must not end the stream of its successor.
      const isOld = message.term < this.#parts.raft.term;
      if (!isOld && this.#isLawful(message)) this.#receiver.onRequest(message);
    } else if (message.kind === 'snapshot-ack') {
      const known = this.#streams.get(message.from);
      if (known?.id === message.id) known.stream.onAck(message);
    } else this.#receiver.onChunk(message);
  }

  /** What the core would refuse once it is stored, or this member once it is installed, ends no other. */
  #isLawful(request: SnapshotRequest): boolean {
    try {
      this.#parts.raft.checkMessage(request);
      MemberDirectory.of(request.snapshot.configuration);
      return true;
    } catch (error) {
      if (!isErrorOf(error, refusals)) throw error;
      return false;
    }
  }

  /** Time passes. */
  tick(): void {
    for (const { stream } of [...this.#streams.values()]) stream.tick();
    this.#receiver.tick();
    this.#trimmer.tick(this.#parts.env.clock.monotonicMs());
  }

  /** The connection to a member fell, and with it what was under way. */
  onLinkLost(member: MemberId): void {
    this.#streams.get(member)?.stream.end('failed');
  }

  /** This member leads no more: nobody is sent anything by it. */
  onLeadershipLost(): void {
    this.#maker.cancel();
    for (const { stream } of [...this.#streams.values()]) stream.end('failed');
  }

  /** Requests whose snapshots are stored here, for the core. */
  takeStored(): readonly SnapshotRequest[] {
    const stored = this.#stored;
    this.#stored = noRequests;
    return stored;
  }

  /**
   * The core handed out a write with a snapshot.
   *
   * @param sent - proposals that it may carry
   */
  taken(last: LogId, sent: readonly number[]): void {
    this.#taken = [...this.#taken, { last, sent }];
  }

  /** The core had all that was stored, and what it wants done was taken. */
  stepped(): void {
    if (this.#stored.length === 0) this.#receiver.stepped(this.#taken.at(-1)?.last);
  }

  /** Installs the snapshot of a write; see {@link installSnapshot}. */
  async install(append: StorageAppend): Promise<void> {
    const { handlers, store } = this.#parts;
    const onRestored = (restored: ConfState) => handlers.onRestored(restored);
    await installSnapshot({ ...this.#parts, onRestored, pause: () => this.#pause() }, append);
    const [done, ...others] = this.#taken;
    this.#taken = others;
    if (done === undefined) return;
    this.#installedIndex = done.last.index;
    handlers.onInstalled(done.last, done.sent);
    this.#receiver.installed(done.last);
    // The ones before are of no use to anybody.
    this.#remove(store.prune());
  }

  async #pause(): Promise<void> {
    const { signal } = this.#interruption;
    await sleep(this.#parts.env.timers, installAgainMs, signal);
    if (signal.aborted) throw kontikiError('CLOSED', 'node: closed before there was space');
  }

  /** The member is about to close: an install waits for no space any more. */
  interrupt(): void {
    this.#interruption.abort();
  }

  /** Ends everything; resolves once the store, the log and the state machine are left alone. */
  async stop(): Promise<void> {
    this.onLeadershipLost();
    await this.#receiver.stop();
    await this.#maker.stop();
    await this.#trimmer.idle();
    // Closed, it begins no more of them; the lock of the directory is let go of behind them.
    await letGo(() => this.#parts.store.close());
    await Promise.all(this.#removals);
  }

  /** What stays is removed the next time. */
  #remove(removal: Promise<void>): void {
    const done = letGo(() => removal).then(() => void this.#removals.delete(done));
    this.#removals.add(done);
  }

  #send(message: WireMessage): void {
    this.#parts.env.transport.send(message);
    this.#parts.handlers.wake();
  }

  #report(to: MemberId, arrived: boolean): void {
    this.#parts.raft.reportSnapshot(to, arrived);
    this.#parts.handlers.wake();
  }

  #onEnd(to: MemberId, end: StreamEnd, meta: SnapshotMeta): void {
    this.#streams.delete(to);
    if (end !== 'failed') this.#unfinished.delete(to);
    if (end === 'damaged') this.#remove(this.#maker.damaged(meta));
    const arrived = end === 'arrived';
    const kind = arrived ? 'sent' : 'failed';
    this.#parts.handlers.onSent?.({ kind, index: meta.last.index, memberId: to });
    this.#report(to, arrived);
  }
}

/** Whether a message is for {@link Snapshots.onMessage}. @since 0.1.0 */
export function isOfSnapshots(message: WireMessage | LocalMessage): message is SnapshotMessage {
  const { kind } = message;
  return kind === 'snapshot-request' || kind === 'snapshot-chunk' || kind === 'snapshot-ack';
}
