/** How invariants see one of our own members: its core, its log and its state machine. */
import type { Configuration, Entry, Role } from '../../raft/index.js';
import type { Raft } from '../../raft/raft.js';
import type { DurableView, NodeView } from '../invariants/node-view.js';
import { entryHash } from './entry-hash.js';
import type { LogImage } from './log-image.js';

/**
 * What there is of a member beside its core.
 *
 * @since 0.1.0
 */
export interface ViewedMember {
  readonly id: number;
  readonly store: {
    /** What the log was given. */
    readonly written: LogImage;
    /** What of it survives a crash. */
    readonly durable: LogImage;
  };
  /** Last index of the state machine. */
  readonly applied: number;
  /** Last index of what of it survives a crash. */
  readonly appliedDurable: number;
  /** Last entry that the configuration goes by, where it counts before it is applied. */
  readonly configured?: number | undefined;
}

/**
 * A view of whatever core the member runs at the moment.
 *
 * @since 0.1.0
 */
export class CoreView implements NodeView {
  readonly id: number;
  readonly durable: DurableView;
  readonly #member: ViewedMember;
  #core: Raft | undefined;

  /**
   * @param member - the one to look at
   */
  constructor(member: ViewedMember) {
    this.id = member.id;
    this.#member = member;
    this.durable = new DiskView(member.store);
  }

  /** The member runs another core from now on. */
  look(core: Raft): void {
    this.#core = core;
  }

  get #raft(): Raft {
    return this.#core as Raft;
  }

  get role(): Role {
    return this.#raft.role;
  }

  get term(): number {
    return this.#raft.term;
  }

  get vote(): number {
    return this.#raft.vote;
  }

  get commit(): number {
    return this.#raft.log.committed;
  }

  get applied(): number {
    return this.#member.applied;
  }

  get firstIndex(): number {
    return this.#raft.log.firstIndex;
  }

  get lastIndex(): number {
    return this.#raft.log.lastIndex;
  }

  get snapshotIndex(): number {
    return this.#member.appliedDurable;
  }

  get installing(): number {
    return this.#raft.log.pendingSnapshot?.last.index ?? 0;
  }

  get configuration(): Configuration {
    return this.#raft.configuration;
  }

  get configurationIndex(): number {
    const { applied, configured = 0 } = this.#member;
    return this.#raft.log.pendingSnapshot?.last.index ?? Math.max(applied, configured);
  }

  get leaseMs(): number {
    return this.#raft.leaseMs;
  }

  get pledges(): boolean {
    return this.#raft.pledgeTicks > 0;
  }

  termAt(index: number): number | undefined {
    return this.#raft.log.term(index);
  }

  hashAt(index: number): number {
    return entryHash(this.#entry(index));
  }

  isChangeAt(index: number): boolean {
    return this.#entry(index).type !== 'normal';
  }

  /** What the core has only in memory is not with the store, and what is stored may be paged out. */
  #entry(index: number): Entry {
    const { log } = this.#raft;
    if (index < log.offset) return this.#member.store.written.entry(index) as Entry;
    return (log.slice(index, index + 1, Infinity) as readonly Entry[])[0] as Entry;
  }
}

class DiskView implements DurableView {
  readonly #disk: ViewedMember['store'];

  constructor(disk: ViewedMember['store']) {
    this.#disk = disk;
  }

  get term(): number {
    return this.#disk.durable.hardState.term;
  }

  get vote(): number {
    return this.#disk.durable.hardState.vote;
  }

  get commit(): number {
    return this.#disk.durable.hardState.commit;
  }

  get firstIndex(): number {
    return this.#disk.durable.firstIndex;
  }

  get lastIndex(): number {
    return this.#disk.durable.lastIndex;
  }

  termAt(index: number): number | undefined {
    return this.#disk.durable.term(index);
  }
}
