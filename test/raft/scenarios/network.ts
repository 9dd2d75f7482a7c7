/**
 * A synchronous network of members: whatever a member says is delivered, and what that leads to,
 * in order, until nobody has anything left to say. Links can be cut, kinds of messages dropped, and
 * a hook sees every message before it is sent. Each member checks its invariants after every step.
 */
import { isKontikiError } from '../../../src/base/errors.js';
import type { MemberId, PeerMessage } from '../../../src/raft/index.js';
import { Member, type MemberSetup } from './member.js';

export interface NetworkSetup {
  /** Members 1 to `size` are its voters, unless `all` or `members` say otherwise. */
  readonly size: number;
  /** For every member. */
  readonly all?: MemberSetup;
  readonly members?: Readonly<Record<MemberId, MemberSetup>>;
  /** They never say a word. */
  readonly silent?: readonly MemberId[];
}

export class Network {
  readonly #members = new Map<MemberId, Member>();
  readonly #cut = new Set<string>();
  readonly #ignored = new Set<PeerMessage['kind']>();
  readonly #queue: PeerMessage[] = [];
  #nextRead = 1;
  /** Asked about every message; false: it is lost. */
  hook: (message: PeerMessage) => boolean = () => true;

  constructor({ size, all = {}, members = {}, silent = [] }: NetworkSetup) {
    const ids = Array.from({ length: size }, (_, at) => at + 1);
    for (const id of ids) {
      if (silent.includes(id)) continue;
      this.#members.set(id, new Member({ voters: ids, ...all, ...members[id], id }));
    }
  }

  at(id: MemberId): Member {
    const member = this.#members.get(id);
    if (member === undefined) throw new Error(`no member ${id}`);
    return member;
  }

  get members(): readonly Member[] {
    return [...this.#members.values()];
  }

  get roles(): readonly string[] {
    return this.members.map((member) => member.role);
  }

  get terms(): readonly number[] {
    return this.members.map((member) => member.term);
  }

  get commits(): readonly number[] {
    return this.members.map((member) => member.commit);
  }

  /** Terms of every log. */
  get logs(): readonly (readonly number[])[] {
    return this.members.map((member) => member.disk.terms);
  }

  /** Both ways. */
  cut(one: MemberId, other: MemberId): void {
    this.#cut.add(`${one}-${other}`).add(`${other}-${one}`);
  }

  isolate(id: MemberId): void {
    for (const other of this.#members.keys()) if (other !== id) this.cut(id, other);
  }

  ignore(kind: PeerMessage['kind']): void {
    this.#ignored.add(kind);
  }

  /** Every link works again, and nothing is ignored. */
  heal(): void {
    this.#cut.clear();
    this.#ignored.clear();
    this.hook = () => true;
  }

  /** Puts messages into the network that nobody sent just now, and delivers everything. */
  send(...messages: readonly PeerMessage[]): void {
    this.#queue.push(...messages);
    this.settle();
  }

  campaign(...ids: readonly MemberId[]): void {
    for (const id of ids) this.at(id).do((node) => node.campaign());
    this.settle();
  }

  propose(id: MemberId, ...commands: readonly string[]): void {
    this.at(id).propose(...commands);
    this.settle();
  }

  transfer(id: MemberId, to: MemberId): void {
    this.at(id).do((node) => node.transferLeader(to));
    this.settle();
  }

  /** Asks for a read; returns its id. */
  read(id: MemberId, nowMs?: number): number {
    const readId = this.#nextRead;
    this.#nextRead += 1;
    this.at(id).do((node) => node.readIndex(readId, nowMs));
    this.settle();
    return readId;
  }

  /** Time passes for one member, and everything it says is delivered. */
  tick(id: MemberId, count = 1): void {
    for (let tick = 0; tick < count; tick += 1) {
      this.at(id).tick();
      this.settle();
    }
  }

  /** Carries out and delivers everything. */
  settle(): void {
    for (const member of this.members) this.#collect(member);
    for (let count = 0; ; count += 1) {
      const message = this.#queue.shift();
      if (message === undefined) return;
      if (count > 100_000) throw new Error('the network does not come to rest');
      const member = this.#members.get(message.to);
      if (member === undefined) continue;
      deliver(member, message);
      this.#collect(member);
    }
  }

  #collect(member: Member): void {
    for (const message of member.flush()) {
      const { from, to, kind } = message;
      if (this.#cut.has(`${from}-${to}`) || this.#ignored.has(kind)) continue;
      if (this.hook(message)) this.#queue.push(message);
    }
  }
}

/** A refusal is the sender's concern, and there is nobody to tell. */
function deliver(member: Member, message: PeerMessage): void {
  try {
    member.step(message);
  } catch (error) {
    const refused = ['NOT_LEADER', 'PROPOSAL_DROPPED', 'MEMBER_UNKNOWN'] as const;
    if (!refused.some((code) => isKontikiError(error, code))) throw error;
  }
}
