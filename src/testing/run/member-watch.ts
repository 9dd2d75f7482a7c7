/**
 * One member of a simulated group as the invariants of Raft see it: a view over its core and over a
 * shadow of its log, both kept by what the node tells its observer, and the steps that this amounts to.
 *
 *     durable: what the log reported as written, and at an open what is really there
 *     written: what the log was given, written or not
 *
 * What a crash leaves of a write under way is known only at the next open. Until then the member
 * counts as having what it was told is durable, which is the least that it may have; at the open the
 * shadow gives way to the truth, and the rules are asked whether that is still enough.
 */
import { assert } from '../../base/assert.js';
import type { OpenedNode, StateMachine } from '../../node/index.js';
import { type ConfState, restoreConfiguration } from '../../raft/configuration.js';
import type { LogReader } from '../../raft/log-reader.js';
import type { Message, PeerMessage } from '../../raft/messages.js';
import type { Raft } from '../../raft/raft.js';
import { coreOf } from '../../raft/raw-node.js';
import type { ReadState } from '../../raft/read-index.js';
import type { StorageAppend } from '../../raft/ready.js';
import type { Entry, HardState } from '../../raft/types.js';
import { CoreView, type ViewedMember } from '../bare/core-view.js';
import { entryHash } from '../bare/entry-hash.js';
import { LogImage } from '../bare/log-image.js';
import type { RaftStep } from '../invariants/raft-step.js';

/** @since 0.1.0 */
export class MemberWatch implements ViewedMember {
  readonly id: number;
  readonly store = { written: new LogImage(), durable: new LogImage() };
  readonly view: CoreView;
  readonly #nowUs: () => number;
  readonly #observe: (step: RaftStep) => void;
  #core: Raft | undefined;
  /** At the last step. */
  #role: Raft['role'] | undefined;
  #machine: StateMachine | undefined;
  /** The newest that was written; one that only moves the commit index waits for company. */
  #hardState: HardState = this.store.durable.hardState;
  #applied = 0;
  configured = 0;
  /** Every entry that the log was given, by index: a crash may bring back what it had let go of. */
  readonly #given = new Map<number, Entry>();

  /**
   * @param id - of the member
   * @param nowUs - virtual time
   * @param observe - takes the steps
   */
  constructor(id: number, nowUs: () => number, observe: (step: RaftStep) => void) {
    this.id = id;
    this.#nowUs = nowUs;
    this.#observe = observe;
    this.view = new CoreView(this);
  }

  /** A batch counts when all of it is applied, but may become durable before. */
  get applied(): number {
    return Math.max(this.#applied, this.appliedDurable);
  }

  get appliedDurable(): number {
    return this.#machine?.durableIndex ?? 0;
  }

  /** A life begins. */
  onOpened({ raft, log, machine, appliedIndex }: OpenedNode): void {
    const image = imageOf(log, this.#given);
    this.store.written = image;
    this.store.durable = image.copy();
    this.#hardState = image.hardState;
    this.#core = coreOf(raft);
    this.#machine = machine;
    this.#applied = appliedIndex;
    this.configured = 0;
    this.view.look(this.#core);
    this.#tell('start');
    const { hardState: _term, ...state } = log.initialState();
    this.#tellConfigured(appliedIndex, state, true);
    this.#tell('durable');
    this.#tell('state');
  }

  /** Its process has ended. */
  onCrash(): void {
    this.#tell('crash');
  }

  onReceived(message: Message): void {
    if (message.from === this.id) return;
    // A campaign that began by itself was not this message's doing.
    if (this.#core?.role !== this.#role) this.onStepped();
    this.#observe({
      kind: 'received',
      atUs: this.#nowUs(),
      member: this.view,
      message: message as PeerMessage,
    });
  }

  onStepped(): void {
    this.#role = this.#core?.role;
    this.#tell('state');
  }

  onWriting(append: StorageAppend): void {
    this.#tell('state');
    this.#compact();
    this.store.written.take(append);
    for (const entry of append.entries) this.#given.set(entry.index, entry);
    const { view: member } = this;
    const atUs = this.#nowUs();
    if (append.snapshot !== undefined) {
      const { index, term } = append.snapshot.last;
      this.#tellConfigured(index, append.snapshot.configuration, true);
      this.#observe({ kind: 'snapshot', atUs, member, index, term });
    }
    const from = append.entries[0]?.index;
    if (from !== undefined) this.#observe({ kind: 'log', atUs, member, from });
  }

  onWritten(append: StorageAppend): void {
    this.#hardState = append.hardState ?? this.#hardState;
    if (!append.mustSync) return;
    const { durable } = this.store;
    durable.take(append);
    durable.hardState = this.#hardState;
    this.#tell('durable');
  }

  onSent(message: PeerMessage): void {
    this.#observe({ kind: 'sent', atUs: this.#nowUs(), member: this.view, message });
  }

  onApplied(entries: readonly Entry[]): void {
    const atUs = this.#nowUs();
    for (const entry of entries) {
      const { index } = entry;
      this.#observe({ kind: 'applied', atUs, member: this.view, index, hash: entryHash(entry) });
      this.#applied = index;
    }
  }

  /** An entry made this the configuration. */
  onConfigured(index: number, state: ConfState): void {
    this.configured = index;
    this.#tellConfigured(index, state, false);
  }

  onInstalled(index: number): void {
    this.#applied = index;
    this.#observe({ kind: 'installed', atUs: this.#nowUs(), member: this.view, index });
  }

  onReadAsked(read: number): void {
    this.#observe({ kind: 'read-asked', atUs: this.#nowUs(), member: this.view, read });
  }

  onReadAnswered({ readId: read, index }: ReadState): void {
    this.#observe({ kind: 'read-answered', atUs: this.#nowUs(), member: this.view, read, index });
  }

  #tellConfigured(index: number, state: ConfState, found: boolean): void {
    const { view: member } = this;
    const configuration = restoreConfiguration(state);
    const atUs = this.#nowUs();
    const list = state.context;
    this.#observe({ kind: 'configured', atUs, member, index, configuration, list, found });
  }

  /** What the log has let go of is let go of here. */
  #compact(): void {
    const { log } = this.#core as Raft;
    if (log.pendingSnapshot !== undefined) return;
    const gone = log.firstIndex - 1;
    const { written, durable } = this.store;
    if (gone <= written.base.index) return;
    written.compact(gone);
    durable.compact(gone);
  }

  #tell(kind: 'start' | 'crash' | 'state' | 'durable'): void {
    this.#observe({ kind, atUs: this.#nowUs(), member: this.view });
  }
}

/**
 * What a log has on its disk.
 *
 * @param given - what it was given in earlier lives: has what is not in memory
 */
function imageOf(log: LogReader, given: ReadonlyMap<number, Entry>): LogImage {
  const image = new LogImage();
  const first = log.firstIndex();
  image.hardState = log.initialState().hardState;
  image.base = { index: first - 1, term: log.term(first - 1) ?? 0 };
  for (let index = first; index <= log.lastIndex(); index += 1) {
    const entries = log.entries({ lo: index, hi: index + 1 }, Infinity);
    const entry = Array.isArray(entries) ? (entries[0] as Entry) : given.get(index);
    assert(entry?.term === log.term(index), `shadow: entry ${index} is known`);
    image.entries.push(entry as Entry);
  }
  return image;
}
