/**
 * Members joined by a synchronous network: what one sends is delivered, persisted and answered until
 * nothing is left. Links can be cut, members isolated, messages dropped or looked at on the way.
 */
import { isKontikiError } from '../../../src/base/errors.js';
import type { MemberId, PeerMessage } from '../../../src/raft/index.js';
import { freeze } from '../cluster.js';
import { Solo, type SoloOptions } from './solo.js';

export class Net {
  readonly members = new Map<MemberId, Solo>();
  /** Whether the network loses a message; asked at delivery. */
  loses: (message: PeerMessage) => boolean = () => false;
  /** Everything that was sent. */
  readonly sent: PeerMessage[] = [];
  /** Not delivered yet, oldest first. */
  queue: PeerMessage[] = [];

  /** @param options - of each member; `voters` defaults to all of `ids` */
  constructor(ids: readonly MemberId[], options: (id: MemberId) => SoloOptions = () => ({})) {
    for (const id of ids) {
      this.members.set(id, new Solo({ voters: ids, ...options(id), id }));
    }
  }

  at(id: MemberId): Solo {
    const member = this.members.get(id);
    if (member === undefined) throw new Error(`no member ${id}`);
    return member;
  }

  /** Takes what members have to send, in order of their ids. */
  collect(): void {
    for (const member of this.members.values()) this.post(member.flush());
  }

  post(messages: readonly PeerMessage[]): void {
    for (const message of messages) {
      this.sent.push(freeze(message));
      this.queue.push(message);
    }
  }

  /** Delivers the message at a place of the queue; `keep` leaves a copy there. */
  deliver(at = 0, keep = false): void {
    const message = this.queue[at];
    if (message === undefined) throw new Error(`no message at ${at}`);
    if (!keep) this.queue.splice(at, 1);
    if (this.loses(message)) return;
    try {
      this.members.get(message.to)?.step(message);
    } catch (error) {
      // A member that was removed may still answer, and a proposal may come when it cannot be taken.
      const expected = ['MEMBER_UNKNOWN', 'NOT_LEADER', 'PROPOSAL_DROPPED'] as const;
      if (!expected.some((code) => isKontikiError(error, code))) throw error;
    }
  }

  /** Until nothing is left to do. */
  settle(): void {
    for (let left = 100_000; left > 0; left -= 1) {
      this.collect();
      if (this.queue.length === 0) return;
      this.deliver();
    }
    throw new Error('the network does not come to rest');
  }

  /** Lets a member campaign, and everything settle. */
  campaign(id: MemberId): void {
    this.at(id).campaign();
    this.settle();
  }

  elect(id: MemberId): void {
    this.campaign(id);
    if (this.at(id).node.role !== 'leader') throw new Error(`${id} did not win`);
  }

  propose(id: MemberId, ...commands: readonly (string | Uint8Array)[]): void {
    this.at(id).propose(...commands);
    this.settle();
  }

  /** Ticks members in turn, with everything settled after each tick. */
  tick(count: number, ids: readonly MemberId[] = [...this.members.keys()]): void {
    for (let tick = 0; tick < count; tick += 1) {
      for (const id of ids) {
        this.at(id).tick();
        this.settle();
      }
    }
  }

  /** Cuts all links of some members to the others. */
  isolate(...ids: readonly MemberId[]): void {
    this.loses = ({ from, to }) => ids.includes(from) !== ids.includes(to);
  }

  heal(): void {
    this.loses = () => false;
  }

  get leaders(): readonly MemberId[] {
    return [...this.members.values()]
      .filter(({ node }) => node.role === 'leader')
      .map(({ id }) => id);
  }
}
