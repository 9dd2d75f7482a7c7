/**
 * Questions to the member that leads: what only the leader knows and nothing in the log says, such as
 * how long leases have left. The driver carries the bytes; who asks and who answers is above it.
 *
 * A question can be lost with a message or a leader. Like a read, it is then refused, and asked again
 * by whoever still wants to know.
 */
import type { Clock } from '../base/clock.js';
import { Deferred } from '../base/deferred.js';
import { type KontikiError, kontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import type { AskRequest, AskResponse } from '../codec/wire-message.js';
import { type MemberId, noMember } from '../raft/types.js';
import type { Transport } from '../transport/transport.js';

/** Gives the leader's answer; rejects when this member cannot say. @since 0.1.0 */
export type Answerer = (question: Uint8Array) => Promise<Uint8Array>;

/** After this a question counts as lost. */
const lostMs = 2_000;

/** @since 0.1.0 */
export interface QuestionsParts {
  readonly memberId: MemberId;
  /** A random name of this life of the member, below 2^53. */
  readonly life: number;
  /** What the core says. */
  readonly raft: { readonly leader: MemberId; readonly role: string; readonly term: number };
  readonly clock: Clock;
  readonly transport: Pick<Transport, 'send'>;
  /** Whether a message to the leader would get anywhere. */
  readonly canReachLeader: () => boolean;
  /** Sees to it that what was sent leaves. */
  readonly onSent: () => void;
  /** Answers the driver's own questions while this member leads. */
  readonly answerMembership: Answerer;
  /** Passes one on to the leader while it does not. */
  readonly relayMembership: Answerer;
}

interface AskedQuestion {
  readonly atMs: number;
  readonly deferred: Deferred<Uint8Array>;
  readonly membership: boolean;
}

/** @since 0.1.0 */
export class Questions {
  readonly #parts: QuestionsParts;
  readonly #asked = new Map<number, AskedQuestion>();
  /** Random at first: what an earlier life asked may still be answered. */
  #nextId: number;
  #answerer: Answerer | undefined;
  #answering = 0;
  #closed: KontikiError | undefined;

  constructor(parts: QuestionsParts) {
    this.#parts = parts;
    // So that there are as many above it.
    this.#nextId = Math.floor(parts.life / 2);
  }

  /** Sets who answers while this member leads. */
  answerWith(answerer: Answerer): void {
    this.#answerer = answerer;
  }

  /**
   * Asks whoever leads, this member too.
   *
   * @param membership - about the membership: the driver there answers
   * @throws {KontikiError} NO_LEADER, LEADER_CHANGED, OVERLOADED, TIMEOUT: ask again; CLOSED, or why
   *   the node stopped
   */
  async ask(question: Uint8Array, membership = false): Promise<Uint8Array> {
    if (this.#closed !== undefined) throw this.#closed;
    const { leader, role } = this.#parts.raft;
    const answerer = this.#answererOf(membership);
    if (role === 'leader' && answerer !== undefined) return answerer(question);
    if (leader === noMember || !this.#parts.canReachLeader()) {
      throw kontikiError('NO_LEADER', 'node: no leader is known that can be reached');
    }
    return this.#send(leader, question, membership);
  }

  /**
   * Asks a member that may know who leads when this one does not, about the membership.
   *
   * @throws {KontikiError} LEADER_CHANGED, OVERLOADED, TIMEOUT: ask again; CLOSED, or why the node stopped
   */
  async askThrough(member: MemberId, question: Uint8Array): Promise<Uint8Array> {
    if (this.#closed !== undefined) throw this.#closed;
    return this.#send(member, question, true);
  }

  #send(to: MemberId, question: Uint8Array, membership: boolean): Promise<Uint8Array> {
    const { raft, memberId, transport, clock, onSent } = this.#parts;
    if (this.#asked.size >= limits.questionsMax) {
      const message = `node: expected fewer than ${limits.questionsMax} questions waiting at once`;
      throw kontikiError('OVERLOADED', message);
    }
    const id = this.#nextId;
    this.#nextId += 1;
    const deferred = new Deferred<Uint8Array>();
    this.#asked.set(id, { atMs: clock.monotonicMs(), deferred, membership });
    const request = {
      kind: 'ask-request',
      from: memberId,
      to,
      term: raft.term,
      id,
      data: question,
    } as const;
    transport.send(membership ? { ...request, membership: true } : request);
    onSent();
    return deferred.promise;
  }

  /** Another member asks. Every question is answered, if only with a refusal. */
  onRequest({ from, to, term, id, data, membership }: AskRequest): void {
    const { raft, transport, onSent } = this.#parts;
    const reply = (answer?: Uint8Array) => {
      this.#answering -= 1;
      if (this.#closed !== undefined) return;
      const envelope = { kind: 'ask-response', from: to, to: from, term, id } as const;
      transport.send(answer === undefined ? envelope : { ...envelope, data: answer });
      onSent();
    };
    this.#answering += 1;
    const answerer =
      raft.role === 'leader'
        ? this.#answererOf(membership === true)
        : membership === true && this.#parts.relayMembership;
    if (!answerer || this.#answering > limits.questionsMax) return reply();
    answerer(data).then(reply, () => reply());
  }

  #answererOf(membership: boolean): Answerer | undefined {
    return membership ? this.#parts.answerMembership : this.#answerer;
  }

  /** The member that was asked answered, or refused. */
  onResponse({ id, data }: AskResponse): void {
    const asked = this.#asked.get(id);
    if (asked === undefined) return;
    this.#asked.delete(id);
    if (data !== undefined) asked.deferred.resolve(data);
    // Nothing is done about the membership by who refuses to answer.
    else asked.deferred.reject(changed(refusal, asked.membership ? { outcome: 'rejected' } : {}));
  }

  /** The leader that was asked is gone: its answers may never come. */
  leaderChanged(): void {
    this.#refuseAll(() => changed('the leader changed under the question'));
  }

  /** Gives up questions that were lost. */
  sweep(): void {
    const beforeMs = this.#parts.clock.monotonicMs() - lostMs;
    for (const [id, { atMs, deferred }] of this.#asked) {
      if (atMs > beforeMs) return;
      this.#asked.delete(id);
      deferred.reject(kontikiError('TIMEOUT', 'node: the question was not answered, ask again'));
    }
  }

  /** Ends everything, and every later `ask`, with `error`. */
  close(error: KontikiError): void {
    this.#closed ??= error;
    this.#refuseAll(() => error);
  }

  #refuseAll(errorOf: () => KontikiError): void {
    for (const { deferred } of this.#asked.values()) deferred.reject(errorOf());
    this.#asked.clear();
  }
}

const refusal = 'the member asked does not lead';

function changed(what: string, fields: { readonly outcome?: 'rejected' } = {}): KontikiError {
  return kontikiError('LEADER_CHANGED', `node: ${what}`, fields);
}
