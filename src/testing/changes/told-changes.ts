/**
 * What operators of a simulated group were told, and whether it came true: C7. Members are known by id,
 * which never comes back (C1), for a name may be of another member the next moment.
 */
import type { MemberInfo } from '../../codec/member-codec.js';
import type { Called } from './change-type.js';

/** Something that was acknowledged, and whether it is so at the end of a run. */
interface Debt {
  /** What is wrong when it is not. */
  readonly message: string;
  readonly isPaid: () => boolean;
}

/** @since 0.1.0 */
export class ToldChanges {
  /** Every id that was in a list. */
  readonly #ever = new Set<number>();
  /** Those of the first list: nobody asked for them. */
  readonly #founders = new Set<number>();
  /** Names of the others. */
  readonly #joined = new Set<string>();
  /** Ids that voted in some configuration. */
  readonly #voted = new Set<number>();
  /** Every id with each address that a list had for it. */
  readonly #addresses = new Set<string>();
  readonly #debts: Debt[] = [];
  /** What became of the calls that asked for a member of each name. */
  readonly #additions = new Map<string, Called<number>[]>();
  #members: readonly MemberInfo[] = [];

  /** A list of members begins to count; every one is told, in order. */
  listed(members: readonly MemberInfo[], voters: readonly number[]): void {
    const isFirst = this.#ever.size === 0;
    this.#members = members;
    for (const { id, name, address } of members) {
      this.#ever.add(id);
      this.#addresses.add(seat(id, address));
      if (isFirst) this.#founders.add(id);
      if (!this.#founders.has(id)) this.#joined.add(name);
    }
    for (const id of voters) this.#voted.add(id);
  }

  /** Somebody asked for a member of a name. */
  added(name: string, called: Called<number>): void {
    const calls = this.#additions.get(name) ?? [];
    this.#additions.set(name, [...calls, called]);
    if (called.kind !== 'ok') return;
    const id = called.value;
    this.#owe(`${name} was added as ${id}, and is in no list`, () => this.#ever.has(id));
  }

  /** Somebody asked for an id to go. */
  removed(id: number, called: Called<void>): void {
    if (called.kind !== 'ok') return;
    this.#owe(`${id} was removed, and is in the list`, () => !this.#isMember(id));
  }

  /** Somebody asked for the vote of a learner. */
  promoted(id: number, called: Called<void>): void {
    if (called.kind !== 'ok') return;
    this.#owe(`${id} was promoted, and never voted`, () => this.#voted.has(id));
  }

  /** Somebody told where a member is to be reached. */
  moved(id: number, address: string, called: Called<void>): void {
    if (called.kind !== 'ok') return;
    const message = `${id} was moved to ${address}, and no list says so`;
    this.#owe(message, () => this.#addresses.has(seat(id, address)));
  }

  /** What somebody was told wrong, in words; at the end of a run. */
  get finding(): string | undefined {
    const debt = this.#debts.find(({ isPaid }) => !isPaid());
    if (debt !== undefined) return debt.message;
    for (const [name, calls] of this.#additions) {
      const isRefused = calls.every(({ kind }) => kind === 'rejected');
      if (isRefused && this.#joined.has(name)) return `${name} was rejected, and is in a list`;
    }
    return undefined;
  }

  #owe(message: string, isPaid: () => boolean): void {
    this.#debts.push({ message, isPaid });
  }

  #isMember(id: number): boolean {
    return this.#members.some((member) => member.id === id);
  }
}

function seat(id: number, address: string): string {
  return `${id} ${address}`;
}
