/**
 * The members of a store, by name: who they are, and how they come and go while it runs.
 */
import { isKontikiError, kontikiError, withOutcome } from '../base/errors.js';
import { limits } from '../base/limits.js';
import { isMemberText } from '../base/member-text.js';
import { splitAddress } from '../base/split-address.js';
import type { MemberId, MemberStatus, Node } from '../node/index.js';
import { callOptionNames, checkBoolean, checkCallOptions, checkOptions } from './arguments.js';
import type { CallOptions } from './kv-client.js';

/** Names a member: its name, or its id. @since 0.1.0 */
export type MemberName = string | MemberId;

/** How a member is added. @since 0.1.0 */
export interface MemberAddOptions extends CallOptions {
  /**
   * Votes at once, caught up or not; default false: it joins as a learner. So does a store's second
   * voter all the same, without which there would be no quorum, and votes once it has caught up.
   */
  readonly voter?: boolean | undefined;
  /** Whether a learner becomes a voter as soon as it has caught up; default true. */
  readonly autoPromote?: boolean | undefined;
}

/** @since 0.1.0 */
export interface StoreMembersParts {
  readonly node: Pick<Node, 'members'>;
  readonly timeoutMs: number;
  /** Throws when this member is being closed. */
  readonly check: () => void;
  /** Resolves once everything acknowledged before is applied here. */
  readonly catchUp: (options: CallOptions) => Promise<void>;
}

const addOptionNames = [...callOptionNames, 'voter', 'autoPromote'];

/**
 * All calls work on every member, and take effect here before they resolve. One that fails with outcome
 * `unknown` may still be made; asking for the same again is safe once {@link list} shows that it was not.
 *
 * @since 0.1.0
 */
export class StoreMembers {
  readonly #parts: StoreMembersParts;

  constructor(parts: StoreMembersParts) {
    this.#parts = parts;
  }

  /**
   * All members, ascending by id, linearizably.
   *
   * @throws {KontikiError} as `get`
   */
  async list(options: CallOptions = {}): Promise<readonly MemberStatus[]> {
    checkOptions(options, callOptionNames, 'members.list');
    checkCallOptions(options);
    await this.#parts.catchUp(options);
    return this.#parts.node.members.list();
  }

  /**
   * Admits a member, which can join from then on: `openStore({ name, dir, listen, bootstrap:
   * 'existing', join: [address of any member] })`. It comes as a learner, and is made a voter once it
   * has caught up.
   *
   * @param name - at most 256 characters, of no other member
   * @param address - `host:port` where the others will reach it
   * @param options - `voter`, `autoPromote`, `timeoutMs`, `signal`
   * @returns the new member's id
   * @throws {KontikiError} ARGUMENT_INVALID, MEMBER_EXISTS, TOO_MANY_MEMBERS, QUORUM_AT_RISK,
   *   DIR_REQUIRED (this store has no `dir`, or no address to listen on); NO_SPACE, TIMEOUT, ABORTED,
   *   CLOSED
   */
  async add(name: string, address: string, options: MemberAddOptions = {}): Promise<MemberId> {
    checkOptions(options, addOptionNames, 'members.add');
    checkText(name, 'name');
    checkAddress(address);
    const { autoPromote: promote, voter } = options;
    checkBoolean(voter, 'voter');
    checkBoolean(promote, 'autoPromote');
    return this.#node.add({ name, address, voter, promote }, this.#times(options));
  }

  /**
   * Removes a member, this one and the leader too. It stops with MEMBER_REMOVED, and never comes back.
   *
   * @throws {KontikiError} MEMBER_UNKNOWN, QUORUM_AT_RISK; and as {@link add}
   */
  async remove(member: MemberName, options: CallOptions = {}): Promise<void> {
    checkOptions(options, callOptionNames, 'members.remove');
    const id = await this.#idOf(member, options);
    await this.#node.remove(id, this.#times(options));
  }

  /**
   * Makes a voter of a learner.
   *
   * @throws {KontikiError} MEMBER_UNKNOWN, MEMBER_NOT_LEARNER, LEARNER_NOT_READY, QUORUM_AT_RISK; and as
   *   {@link add}
   */
  async promote(member: MemberName, options: CallOptions = {}): Promise<void> {
    checkOptions(options, callOptionNames, 'members.promote');
    const id = await this.#idOf(member, options);
    await this.#node.promote(id, this.#times(options));
  }

  /**
   * Tells where a member is to be reached from now on. Stop it first, and open it with the new address
   * after.
   *
   * @throws {KontikiError} MEMBER_UNKNOWN, MEMBER_EXISTS (the address is another member's); and as
   *   {@link add}
   */
  async update(member: MemberName, address: string, options: CallOptions = {}): Promise<void> {
    checkOptions(options, callOptionNames, 'members.update');
    checkAddress(address);
    const id = await this.#idOf(member, options);
    await this.#node.update(id, address, this.#times(options));
  }

  /**
   * Removes a member and makes a voter of a learner in one step. Only a lone voter is first joined by
   * the other, which then removes it.
   *
   * @param member - who goes
   * @param learner - who takes its place; it must have caught up
   * @throws {KontikiError} as {@link promote}
   */
  async replace(member: MemberName, learner: MemberName, options: CallOptions = {}): Promise<void> {
    checkOptions(options, callOptionNames, 'members.replace');
    const id = await this.#idOf(member, options);
    const by = await this.#idOf(learner, options);
    if (by === id) throw invalid('learner', 'another than the member that goes', learner);
    await this.#node.replace(id, by, this.#times(options));
  }

  /** See `Store.transferLeadership`. */
  async transferLeadership(member: MemberName, options: CallOptions = {}): Promise<void> {
    checkOptions(options, callOptionNames, 'transferLeadership');
    const id = await this.#idOf(member, options);
    await this.#node.transferLeadership(id, this.#times(options));
  }

  get #node() {
    return this.#parts.node.members;
  }

  #times(options: CallOptions) {
    checkCallOptions(options);
    this.#parts.check();
    const { signal, timeoutMs = this.#parts.timeoutMs } = options;
    return { signal, timeoutMs };
  }

  /** A name may be of a member that was added lately, in place of one that had it before. */
  async #idOf(member: MemberName, options: CallOptions): Promise<MemberId> {
    checkCallOptions(options);
    if (typeof member === 'number') {
      if (Number.isSafeInteger(member) && member >= 1) return member;
      throw invalid('member', 'a name, or the id of a member', member);
    }
    checkText(member, 'member');
    await this.#parts.catchUp(options).catch((error: unknown) => {
      // Nobody was asked for the change yet.
      throw isKontikiError(error) ? withOutcome(error, 'rejected') : error;
    });
    const id = this.#node.list().find(({ name }) => name === member)?.id;
    if (id !== undefined) return id;
    const message = `store: there is no member named ${member}`;
    throw kontikiError('MEMBER_UNKNOWN', message, { outcome: 'rejected' });
  }
}

function checkText(value: unknown, what: string): void {
  if (isMemberText(value)) return;
  throw invalid(what, `a string of 1 to ${limits.memberTextMax} characters`, value);
}

function checkAddress(value: unknown): void {
  checkText(value, 'address');
  // What no transport can parse would stop every member that applies it, and again after a restart.
  if (splitAddress(value as string) === undefined) throw invalid('address', 'host:port', value);
}

function invalid(what: string, expected: string, got: unknown) {
  const message = `store: expected ${what} to be ${expected}, got ${String(got)}`;
  return kontikiError('ARGUMENT_INVALID', message, { outcome: 'rejected' });
}
