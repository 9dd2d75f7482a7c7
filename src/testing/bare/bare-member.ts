/**
 * One simulated process around a bare core, with its disk and its state machine: everything a driver
 * does, without promises and one effect at a time, so that whoever schedules the effects can crash
 * the member between any two of them.
 */
import { assert } from '../../base/assert.js';
import { isKontikiError } from '../../base/errors.js';
import {
  decodeConfChange,
  type Entry,
  type IndexRange,
  type MemberId,
  type Message,
  type RaftOptions,
  RawNode,
  type Ready,
  type Snapshot,
  type StorageApply,
} from '../../raft/index.js';
import { coreOf } from '../../raft/raw-node.js';
import type { BareDisk } from './bare-disk.js';
import type { BareWorld } from './bare-world.js';
import { CoreView } from './core-view.js';
import { isTurnedDown } from './draw-change.js';
import { entryHash } from './entry-hash.js';
import { freeze } from './freeze.js';
import { HashMachine, type MachineState, snapshotOf } from './hash-machine.js';

/**
 * Options of a core that are the simulation's to choose.
 *
 * @since 0.1.0
 */
export type CoreOptions = Partial<
  Omit<RaftOptions, 'id' | 'reader' | 'applied' | 'latestSnapshot'>
> &
  Pick<RaftOptions, 'random'>;

/** A `Ready` of a member in synchronous mode, and what is left to do of it. */
interface Turn {
  readonly ready: Ready;
  written: boolean;
  sent: boolean;
  applied: boolean;
}

/**
 * A member; `node` is absent while its process is down.
 *
 * @since 0.1.0
 */
export class BareMember {
  readonly id: MemberId;
  readonly store: BareDisk;
  readonly machine: HashMachine;
  readonly view: CoreView;
  node: RawNode | undefined;
  /** Synchronous mode: one `Ready` at a time. */
  sync = false;
  turn: Turn | undefined;
  /** Pages that are with the state machine, oldest first. */
  applies: StorageApply[] = [];
  fetches: IndexRange[] = [];
  /** What it sends to members that need one. */
  snapshot: Snapshot | undefined;
  readonly #world: BareWorld;

  /**
   * @param world - see {@link BareWorld}
   * @param parts - id, disk, and what the state machine has at first, durably
   */
  constructor(
    world: BareWorld,
    parts: { readonly id: MemberId; readonly store: BareDisk; readonly state: MachineState },
  ) {
    this.#world = world;
    this.id = parts.id;
    this.store = parts.store;
    this.machine = new HashMachine(parts.state);
    this.view = new CoreView(this);
  }

  /** Last index the state machine has. */
  get applied(): number {
    return this.machine.state.index;
  }

  /** Last index of what the state machine has durably. */
  get appliedDurable(): number {
    return this.machine.durable.index;
  }

  /** The running node. */
  get up(): RawNode {
    assert(this.node !== undefined, `member ${this.id} is up`);
    return this.node;
  }

  /**
   * Starts the process from what its disk has.
   *
   * @param options - of the core
   * @param bootstrap - founders to begin the log with; default none
   */
  start(options: CoreOptions, bootstrap: readonly MemberId[] = []): void {
    assert(this.node === undefined, `member ${this.id} is down`);
    const { id, store, machine } = this;
    store.configuration = machine.state.configuration;
    store.raiseCommit(this.applied);
    this.sync = options.asyncStorageWrites === false;
    const node = new RawNode({
      ...options,
      id,
      reader: store,
      applied: this.applied,
      latestSnapshot: () => this.snapshot,
    });
    this.node = node;
    this.view.look(coreOf(node));
    this.#world.onNode(this, node);
    if (bootstrap.length > 0) node.bootstrap(bootstrap.map((each) => ({ id: each })));
    this.#observe('start');
    this.#afterInput();
  }

  /**
   * Kills the process.
   *
   * @param survivors - writes under way that reach the disk nevertheless
   * @param applied - where the state machine's durable part ends, at most
   * @param parts - of the write after the survivors: see `LogImage.takeTorn`
   */
  crash(survivors = 0, applied = 0, parts = 0): void {
    this.node = undefined;
    this.turn = undefined;
    this.applies = [];
    this.fetches = [];
    this.snapshot = undefined;
    this.machine.flush(applied);
    // The entries that make up the group are one record: half a group must not begin on its own.
    const torn = this.store.durable.lastIndex === 0 ? 0 : parts;
    this.store.crash(survivors, torn);
    this.machine.install(this.store.durable.snapshot);
    this.machine.crash();
    this.#observe('crash');
  }

  /** Handles an input; the core may refuse it by throwing, which passes through. */
  input(act: (node: RawNode) => void): void {
    act(this.up);
    this.#afterInput();
  }

  /** Handles a message, of a peer or of the own storage. */
  step(message: Message): void {
    this.up.step(message);
    this.#afterInput();
  }

  #afterInput(): void {
    this.#observe('state');
    this.#world.onInput(this);
  }

  #observe(kind: 'start' | 'crash' | 'state' | 'durable'): void {
    this.#world.observe({ kind, atUs: this.#world.nowUs, member: this.view });
  }

  /** Takes what the core wants done and puts it under way. */
  takeReady(): void {
    const node = this.up;
    if (this.turn !== undefined || !node.hasReady()) return;
    const ready = this.#world.freezes ? freeze(node.ready()) : node.ready();
    const { append, apply, fetch, messages } = ready;
    if (append !== undefined) this.#accept(append);
    for (const { readId: read, index } of ready.reads) {
      const atUs = this.#world.nowUs;
      this.#world.observe({ kind: 'read-answered', atUs, member: this.view, read, index });
    }
    for (const range of fetch) this.fetches.push(range);
    if (this.sync) this.turn = { ready, written: false, sent: false, applied: false };
    else if (apply !== undefined) this.applies.push(apply);
    this.#world.onReady(this, ready);
    if (this.sync) return;
    for (const message of messages) {
      if (this.node !== node) return;
      this.#release(message);
    }
  }

  #accept(append: NonNullable<Ready['append']>): void {
    this.store.accept(append);
    const atUs = this.#world.nowUs;
    const { view: member } = this;
    if (append.snapshot !== undefined) {
      const { index, term } = append.snapshot.last;
      this.#world.observe({ kind: 'snapshot', atUs, member, index, term });
    }
    const from = append.entries[0]?.index;
    if (from !== undefined) this.#world.observe({ kind: 'log', atUs, member, from });
  }

  /** Finishes the oldest write and releases what waited for it; in synchronous mode `goOn`. */
  completeAppend(force = true): void {
    if (this.turn !== undefined) {
      this.goOn(force);
      return;
    }
    const append = this.store.complete(force);
    if (append === undefined) return;
    this.#afterDurable();
    const { node } = this;
    for (const message of append.responses) {
      if (this.node !== node) return;
      this.#release(message);
    }
  }

  #afterDurable(): void {
    this.#observe('durable');
    if (!this.machine.install(this.store.durable.snapshot)) return;
    const { index, chain: state } = this.machine.state;
    const atUs = this.#world.nowUs;
    this.#world.count('snapshotsInstalled');
    this.#world.observe({ kind: 'installed', atUs, member: this.view, index, state });
  }

  #release(message: Message): void {
    const world = this.#world;
    if (
      message.kind === 'storage-append-response' ||
      message.kind === 'storage-apply-response' ||
      message.to === this.id
    ) {
      this.step(world.freezes ? freeze(message) : message);
      return;
    }
    world.observe({ kind: 'sent', atUs: world.nowUs, member: this.view, message });
    world.send(this, world.freezes ? freeze(message) : message);
  }

  /** @param count - entries after which the state machine pauses within a page */
  completeApply(count = Infinity): void {
    if (this.turn !== undefined) {
      this.goOn(true, count);
      return;
    }
    const [apply] = this.applies;
    if (apply === undefined || !this.#apply(apply.entries, count)) return;
    this.applies.shift();
    this.#world.onAnswer(this);
    this.#release(apply.response);
  }

  /** Applies the next entries of a page; true when the page is done. */
  #apply(entries: readonly Entry[], count: number): boolean {
    let done = 0;
    for (const entry of entries) {
      // A snapshot may have overtaken the page.
      if (entry.index <= this.applied) continue;
      if (done === count) return false;
      this.#applyEntry(entry);
      done += 1;
    }
    if (done === 0 && entries.length > 0) this.#world.count('overtaken');
    return true;
  }

  #applyEntry(entry: Entry): void {
    const { machine, view: member } = this;
    const { index } = entry;
    const hash = entryHash(entry);
    const configuration = entry.type === 'normal' ? undefined : this.#change(entry);
    machine.apply(entry, hash, configuration ?? machine.state.configuration);
    const { chain: state } = machine.state;
    const atUs = this.#world.nowUs;
    this.#world.observe({ kind: 'applied', atUs, member, index, hash, state, configuration });
    this.#afterInput();
  }

  /** The configuration that a change leads to; `undefined` when it is refused or turned down. */
  #change(entry: Entry) {
    const change = decodeConfChange(entry);
    if (isTurnedDown(change)) {
      this.#world.count('turnedDown');
      return undefined;
    }
    if (coreOf(this.up).overtaken !== undefined) this.#world.count('changesOvertaken');
    try {
      return this.up.applyConfChange(change);
    } catch (error) {
      if (!isKontikiError(error, 'CONFIGURATION_INVALID')) throw error;
      this.#world.count('refusedAtApply');
      return undefined;
    }
  }

  /** Synchronous mode: the next step of the present `Ready`: write, send, apply, advance. */
  goOn(force: boolean, count = Infinity): void {
    const { turn, store, node } = this;
    if (turn === undefined || node === undefined) return;
    const { append, messages, apply } = turn.ready;
    if (!turn.written) {
      turn.written = true;
      if (append === undefined) return;
      store.complete(force);
      this.#afterDurable();
    } else if (!turn.sent) {
      turn.sent = true;
      for (const message of [...messages, ...(append?.responses ?? [])]) {
        if (this.node !== node) return;
        this.#release(message);
      }
    } else if (!turn.applied) {
      turn.applied = this.#apply(apply?.entries ?? [], count);
    } else {
      this.turn = undefined;
      if (apply !== undefined) this.#world.onAnswer(this);
      this.#world.count('advances');
      node.advance();
      this.#afterInput();
    }
  }

  /** The oldest range that the core waits for is in memory. */
  completeFetch(): void {
    const range = this.fetches.shift();
    if (range === undefined) return;
    this.store.load(range.lo);
    this.up.entriesFetched(range);
    this.#afterInput();
  }

  /** The state machine writes a snapshot of what it has. */
  takeSnapshot(): void {
    if (this.applied > 0) this.snapshot = snapshotOf(this.machine.state);
  }

  /** Drops the beginning of the log, as far as it is durably applied and known to be. */
  compact(index: number): void {
    const upTo = Math.min(index, this.machine.durable.index, coreOf(this.up).log.applied);
    if (upTo <= this.store.durable.base.index) return;
    this.store.compact(upTo);
    this.#world.count('compactions');
  }

  /** Drops entries up to `index` from memory, as far as they are known to be applied. */
  evict(index: number): void {
    const upTo = Math.min(index, coreOf(this.up).log.applied);
    this.store.evictedTo = Math.max(this.store.evictedTo, upTo);
  }
}
