/**
 * Who belongs to a simulated group, and ever did, as its members say when a change begins to count: what
 * the faults of a run may take away, and what the group owes then, depends on it.
 */
import { decodeMemberList, type MemberInfo } from '../../codec/member-codec.js';
import { type ConfState, restoreConfiguration } from '../../raft/configuration.js';
import type { SimMachine } from '../sim-machine.js';
import { ToldChanges } from './told-changes.js';

/** @since 0.1.0 */
export class MemberLedger {
  /** Ids that ever were in the group. */
  readonly #ever = new Set<number>();
  /** Ids of members that have opened. */
  readonly #opened = new Set<number>();
  /** From whom each ever got a message: it knows them from then on. */
  readonly #met = new Map<number, Set<number>>();
  /** Id of the member that a machine last opened. */
  readonly #ids = new Map<string, number>();
  #members: readonly MemberInfo[] = [];
  #halves: readonly (readonly number[])[] = [];
  #index = -1;
  /** What those were told who asked for changes. */
  readonly told = new ToldChanges();
  /** Changes so far. */
  changes = 0;

  /** Looks on from the next boot of a machine on, beside whoever does already. */
  observe(machine: SimMachine): void {
    const { name, observer } = machine;
    machine.observer = {
      ...observer,
      opened: (node) => {
        this.#opened.add(node.memberId);
        this.#ids.set(name, node.memberId);
        if (this.#index < 0) this.#take(node.appliedIndex, node.log.initialState());
        observer.opened(node);
      },
      received: (message) => {
        const id = this.#ids.get(name) ?? 0;
        const met = this.#met.get(id) ?? new Set();
        this.#met.set(id, met.add(message.from));
        observer.received(message);
      },
      configured: (index, state) => {
        if (index > this.#index) {
          this.changes += 1;
          this.#take(index, state);
        }
        observer.configured(index, state);
      },
    };
  }

  /** Of the newest list. */
  get members(): readonly MemberInfo[] {
    return this.#members;
  }

  /** Names of those that vote, now or until the joint step is over. */
  get voters(): readonly string[] {
    const isVoter = ({ id }: MemberInfo) => this.#halves.some((half) => half.includes(id));
    return this.#members.filter(isVoter).map(({ name }) => name);
  }

  /** Whether the member of a name has opened, as who it is in the newest list. */
  hasOpened(name: string): boolean {
    const id = this.idOf(name);
    return id !== undefined && this.#opened.has(id);
  }

  isMember(name: string): boolean {
    return this.#members.some((member) => member.name === name);
  }

  /** Whether the member that a machine last was has left the group. */
  isRemoved(machine: string): boolean {
    const id = this.#ids.get(machine);
    if (id === undefined) return false;
    return this.#ever.has(id) && !this.#members.some((member) => member.id === id);
  }

  /** What somebody was told wrong, in words; at the end of a run. */
  get finding(): string | undefined {
    return this.told.finding;
  }

  /** Id of a member by its name. */
  idOf(name: string): number | undefined {
    return this.#members.find((member) => member.name === name)?.id;
  }

  /**
   * Whether somebody could be elected: by a majority of each half of the voters, who have met it before
   * and whose logs are not longer. Those that never met need a leader to vouch for them (ADR 0018).
   *
   * @param isGone - who does not count, by name; one that never opened does not either
   * @param lastIndex - of the log of a member by name; 0: not known
   */
  canElect(isGone: (name: string) => boolean, lastIndex: (name: string) => number): boolean {
    const left = this.#members.filter(({ id, name }) => this.#opened.has(id) && !isGone(name));
    return left.some((candidate) => {
      const last = lastIndex(candidate.name) || Infinity;
      const votes = left
        .filter(({ id, name }) => {
          if (id === candidate.id) return true;
          return this.#haveMet(id, candidate.id) && lastIndex(name) <= last;
        })
        .map(({ id }) => id);
      return this.#halves.every((half) => {
        return 2 * half.filter((id) => votes.includes(id)).length > half.length;
      });
    });
  }

  #haveMet(a: number, b: number): boolean {
    return this.#met.get(a)?.has(b) === true && this.#met.get(b)?.has(a) === true;
  }

  #take(index: number, state: ConfState): void {
    const { context } = state;
    const { voters, votersOutgoing } = restoreConfiguration(state);
    this.#index = index;
    this.#halves = votersOutgoing.length === 0 ? [voters] : [voters, votersOutgoing];
    this.#members = context === undefined ? [] : decodeMemberList(context).members;
    for (const { id } of this.#members) this.#ever.add(id);
    this.told.listed(this.#members, this.#halves.flat());
  }
}
