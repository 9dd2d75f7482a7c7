/** R10: a message leaves only after what it promises is durable. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { MessageView } from './message-view.js';
import type { NodeView } from './node-view.js';
import type { RaftFacts } from './raft-facts.js';
import type { RaftStepOf } from './raft-step.js';

type Step = RaftStepOf<'sent'>;

/** Said in the sender's own term: it must not forget having been in it. */
const ownTerm: ReadonlySet<MessageView['kind']> = new Set([
  'vote-request',
  'vote-response',
  'pre-vote-response',
  'append-response',
  'append-request',
  'heartbeat-request',
  'snapshot-request',
  'timeout-now',
  'read-response',
] as const);

/**
 * A vote and the term of every pledge are on disk, and so is an acknowledged prefix of the log, which
 * is the leader's, and what a message about a vote says to be committed, which is.
 *
 * @since 0.1.0
 */
export class DurablePromises implements Invariant<Step> {
  readonly id = 'R10';
  readonly title = 'messages leave only after what they promise is durable';
  readonly source = 'thesis §3.8; etcd 14370; semantics O1 for vote requests';
  readonly kinds = ['sent'] as const;
  readonly #facts: RaftFacts;

  constructor(facts: RaftFacts) {
    this.#facts = facts;
  }

  check({ atUs, member, message }: Step): void {
    const broken = this.#broken(member, message);
    if (broken !== undefined) throw new InvariantViolation(this.id, atUs, broken);
  }

  #broken(member: NodeView, message: MessageView): string | undefined {
    const { kind, term, to } = message;
    const told = this.#brokenCommit(member, message);
    if (told !== undefined || !ownTerm.has(kind)) return told;
    const { id, durable } = member;
    // A grant beforehand is about the next term, and promises nothing.
    if (message.kind === 'pre-vote-response' && message.granted) return undefined;
    if (term > durable.term) return `${kind} of ${id} in term ${term}, durable is ${durable.term}`;
    if (message.kind === 'vote-response' && message.granted) {
      if (durable.term > term || durable.vote === to) return undefined;
      return `vote of ${id} for ${to} in term ${term}, durable is ${durable.vote}`;
    }
    if (message.kind !== 'append-response' || message.hint !== undefined) return undefined;
    return this.#brokenAcknowledgement(member, message);
  }

  /** One that is told of it may stop for good: then it must be known after a crash as well. */
  #brokenCommit({ id, durable }: NodeView, message: MessageView): string | undefined {
    const commit = 'commit' in message ? message.commit : undefined;
    // A number is what a leader tells those who follow it.
    if (typeof commit !== 'object') return undefined;
    const { index, term } = commit;
    const committed = this.#facts.committedTerm(index);
    const own = index < durable.firstIndex - 1 ? committed : durable.termAt(index);
    if (term === committed && term === own) return undefined;
    return `${id} tells that ${index} of term ${term} is committed: that of ${committed} is, durable ${own}`;
  }

  #brokenAcknowledgement(
    { id, durable }: NodeView,
    { term, index }: MessageView & { readonly kind: 'append-response' },
  ): string | undefined {
    // One write may hold an append of term t, the next term, and a new leader's entries in its place.
    // The acknowledgement to t then proves nothing, and does no harm: t's leader can commit nothing
    // that the next leader lacks.
    if (index === 0 || term < durable.term || index < durable.firstIndex - 1) return undefined;
    const own = durable.termAt(index);
    if (own !== undefined && own === this.#facts.committedTerm(index)) return undefined;
    const leaders = this.#facts.sentTerm(term, index);
    if (own !== undefined && own === leaders) return undefined;
    return `${id} acknowledges ${index} in term ${term}: durable ${own}, the leader's ${leaders}`;
  }
}
