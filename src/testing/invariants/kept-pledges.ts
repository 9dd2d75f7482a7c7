/** R20: whoever told a leader that it may count on a lease does not help to replace it. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { MessageView } from './message-view.js';
import type { NodeView } from './node-view.js';
import type { RaftStepOf } from './raft-step.js';

type Step = RaftStepOf<'start' | 'received' | 'sent'>;

/** What a member said last that a leader may read by. */
interface Pledge {
  readonly leader: number;
  readonly term: number;
  readonly leaseUs: number;
  untilUs: number;
}

/**
 * From a heartbeat that a member echoes on, it stands by its leader for as long as the lease: it neither
 * campaigns nor votes for another, whatever term it is in, unless the leader itself asked for it. One that
 * starts again does not know how long it was away, and so begins with a whole pledge. Members without
 * leases are not asked.
 *
 * @since 0.1.0
 */
export class KeptPledges implements Invariant<Step> {
  readonly id = 'R20';
  readonly title = 'who pledged a lease helps nobody else to lead before it is over';
  readonly source = 'thesis §6.4.1; semantics O3, O4; DESIGN §4.18';
  readonly kinds = ['start', 'received', 'sent'] as const;
  /** When each member got the heartbeats that it has not answered yet, by what they say. */
  readonly #heard = new Map<number, Map<number, number>>();
  readonly #pledges = new Map<number, Pledge>();
  /** Terms in which some leader itself asked for an election. */
  readonly #transfers = new Set<number>();

  check(step: Step): void {
    const { atUs, member } = step;
    const { id } = member;
    const pledge = this.#pledges.get(id);
    if (step.kind === 'start') {
      this.#heard.delete(id);
      if (pledge !== undefined) pledge.untilUs = atUs + pledge.leaseUs;
    }
    if (step.kind === 'sent') this.#noteTransfer(step.message);
    const broken = this.#broken(step, pledge);
    if (broken !== undefined) throw new InvariantViolation(this.id, atUs, broken);
    if (step.kind === 'received') this.#onReceived(step);
    else if (step.kind === 'sent') this.#onSent(member, step.message);
  }

  #broken(step: Step, pledge: Pledge | undefined): string | undefined {
    if (pledge === undefined || step.atUs >= pledge.untilUs) return undefined;
    const { member } = step;
    const { id } = member;
    const rest = `pledged to ${pledge.leader} until ${pledge.untilUs} us`;
    if (member.pledges === false) return `${id} forgot what it ${rest}`;
    if (step.kind !== 'sent') return undefined;
    const { kind, term, to } = step.message;
    // What waited for the disk since an earlier term replaces nobody.
    if (term <= pledge.term || this.#transfers.has(term)) return undefined;
    if (kind === 'vote-request') return `${id} campaigns in term ${term}, ${rest}`;
    const isVote = kind === 'vote-response' && step.message.granted && to !== pledge.leader;
    return isVote ? `${id} votes for ${to} in term ${term}, ${rest}` : undefined;
  }

  #noteTransfer(message: MessageView): void {
    if (message.kind !== 'vote-request' || message.transfer !== true) return;
    this.#transfers.add(message.term);
  }

  #onReceived({ atUs, member, message }: Step & { readonly kind: 'received' }): void {
    if (message.kind !== 'heartbeat-request' || (message.sentAt ?? 0) === 0) return;
    const heard = this.#heard.get(member.id) ?? new Map<number, number>();
    this.#heard.set(member.id, heard);
    // One that comes twice is answered for the first time.
    const sentAt = message.sentAt as number;
    if (!heard.has(sentAt)) heard.set(sentAt, atUs);
  }

  #onSent(member: NodeView, message: MessageView): void {
    const { kind, term, to: leader } = message;
    if (kind !== 'heartbeat-response' || (message.sentAt ?? 0) === 0) return;
    const sinceUs = this.#heardAt(member.id, message.sentAt as number);
    if (sinceUs === undefined) return;
    const leaseUs = (member.leaseMs ?? 0) * 1_000;
    this.#pledges.set(member.id, { leader, term, leaseUs, untilUs: sinceUs + leaseUs });
  }

  /** Heartbeats are answered in order: those before were not answered, and never will be. */
  #heardAt(id: number, sentAt: number): number | undefined {
    const heard = this.#heard.get(id);
    const atUs = heard?.get(sentAt);
    if (heard === undefined || atUs === undefined) return undefined;
    for (const each of heard.keys()) {
      heard.delete(each);
      if (each === sentAt) break;
    }
    return atUs;
  }
}
