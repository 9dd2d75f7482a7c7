/**
 * Who belongs to the group at the last entry that is handed to the state machine, with names and
 * addresses. A change counts from here on, and is in the log before the state machine can be durable
 * up to it: so the configuration at the applied index is exact after a restart (DESIGN §4.4).
 */
import { isKontikiError } from '../base/errors.js';
import type { MemberInfo } from '../codec/member-codec.js';
import { decodeConfChange } from '../raft/conf-change-codec.js';
import {
  type Configuration,
  type ConfState,
  isVoter,
  memberIds,
  restoreConfiguration,
} from '../raft/configuration.js';
import type { RawNode } from '../raft/raw-node.js';
import type { Entry, MemberId } from '../raft/types.js';
import type { LogStore } from '../storage/log-store.js';
import { MemberDirectory } from './member-directory.js';

/** A member as the API tells of it. @since 0.1.0 */
export interface MemberStatus {
  readonly id: MemberId;
  readonly name: string;
  /** `host:port`; empty for one that the others cannot reach. */
  readonly address: string;
  /** A learner receives everything and does not vote. */
  readonly role: 'voter' | 'learner';
}

/** @since 0.1.0 */
export interface MembershipParts {
  readonly memberId: MemberId;
  readonly raft: Pick<RawNode, 'applyConfChange' | 'role'>;
  readonly log: Pick<LogStore, 'append'>;
  /** What the node starts with. */
  readonly initial: ConfState;
  /** An entry was made to count, and led to this. */
  readonly onConfigured: (index: number, state: ConfState) => void;
  /** The members, or what is known of them, are others now. */
  readonly onChanged: () => void;
  /** This member does not belong to the group any more; `led` when it applied that as the leader. */
  readonly onRemoved: (led: boolean) => void;
}

/** @since 0.1.0 */
export class Membership {
  readonly #parts: MembershipParts;
  #configuration: Configuration;
  #directory: MemberDirectory;
  #removed: readonly MemberId[];
  /** The batch under way changes the members. */
  #isNews = false;
  /** Name of every member by id, in the order of the names; always the present ones. */
  readonly names = new Map<MemberId, string>();

  /** @throws {KontikiError} CONFIGURATION_INVALID, FRAME_INVALID, FORMAT_UNSUPPORTED */
  constructor(parts: MembershipParts) {
    this.#parts = parts;
    this.#configuration = restoreConfiguration(parts.initial);
    this.#directory = MemberDirectory.of(parts.initial);
    this.#removed = this.#directory.removed;
    this.#nameAll();
  }

  get configuration(): Configuration {
    return this.#configuration;
  }

  get directory(): MemberDirectory {
    return this.#directory;
  }

  /** Whether a member is known to be removed, that is durable, and the leader has told the others. */
  isRemoved(id: MemberId): boolean {
    return this.#removed.includes(id);
  }

  /** Configuration and directory, as they are stored and sent. */
  get state(): ConfState {
    return { ...this.#configuration, context: this.#directory.encode() };
  }

  /** Whether this member belongs to the group, as far as it knows. */
  get isMember(): boolean {
    return memberIds(this.#configuration).includes(this.#parts.memberId);
  }

  /** Every member, ascending by id. */
  list(): MemberStatus[] {
    return this.#directory.members.map(({ id, name, address }: MemberInfo) => {
      return { id, name, address, role: isVoter(this.#configuration, id) ? 'voter' : 'learner' };
    });
  }

  /**
   * To be called with each batch of committed entries, in order, before the state machine is given it.
   *
   * @returns resolves once what the batch changes is durable; `undefined` when it changes nothing
   */
  beforeApply(entries: readonly Entry[]): Promise<unknown> | undefined {
    let writes: Promise<void>[] | undefined;
    for (const entry of entries) {
      if (entry.type === 'normal') continue;
      writes ??= [];
      const { role } = this.#parts.raft;
      const wasMember = this.isMember;
      if (!this.#apply(entry)) continue;
      const configuration = { index: entry.index, configuration: this.state };
      this.#parts.onConfigured(entry.index, configuration.configuration);
      writes.push(this.#parts.log.append({ configuration, entries: [], mustSync: true }));
      if (wasMember && !this.isMember) this.#parts.onRemoved(role === 'leader');
    }
    this.#isNews ||= writes !== undefined && writes.length > 0;
    return writes && Promise.all(writes);
  }

  /**
   * The batch is applied, and a leader tells the others now that it is committed. Not before is a member that
   * was removed told so and gone: should this member never come back, they may need that one to go on.
   */
  applied(): void {
    if (!this.#isNews) return;
    this.#isNews = false;
    this.#tell();
  }

  /** A snapshot took the place of everything before it. */
  installed(state: ConfState): void {
    this.#configuration = restoreConfiguration(state);
    this.#directory = MemberDirectory.of(state);
    this.#nameAll();
    this.#tell();
  }

  #tell(): void {
    this.#removed = this.#directory.removed;
    this.#parts.onChanged();
  }

  #nameAll(): void {
    this.names.clear();
    const members = [...this.#directory.members].sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const { id, name } of members) this.names.set(id, name);
  }

  /** False for a change that cannot be made: on no member it changes anything. */
  #apply(entry: Entry): boolean {
    try {
      const change = decodeConfChange(entry);
      this.#configuration = this.#parts.raft.applyConfChange(change);
      this.#directory = this.#directory.after(this.#configuration, change.context);
      this.#nameAll();
      return true;
    } catch (error) {
      if (isKontikiError(error, 'CONFIGURATION_INVALID')) return false;
      throw error;
    }
  }
}
