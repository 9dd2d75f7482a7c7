/**
 * Questions to the member that leads: what only the leader knows and nothing in the log says, such as
 * how long leases have left. The driver carries the bytes; who asks and who answers is above it.
 *
 * A question can be lost with a message or a leader. With the leader it is refused, and asked again by
 * whoever still wants to know. When no answer comes it is sent once more, beside the one under way: a leader
 * that is seconds behind with applying answers late, and who took only the answer to his newest question
 * would never have one. About the membership it is given up then, for two copies may have two answers, and
 * who asks has to know of both (`node/members.ts`): the next one is given longer.
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

/** After this a question is sent again, and after twice as long once more. */
const againMs = 2_000;
/** After this nobody waits for its answer. */
const lostMs = 10_000;

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
  readonly request: AskRequest;
  readonly atMs: number;
  /** When it is sent next. */
  againAtMs: number;
  /** After as long it is given up. */
  readonly waitMs: number;
  readonly deferred: Deferred<Uint8Array>;
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
   * @param waitMs - how long such a question waits for its answer
   * @throws {KontikiError} NO_LEADER, LEADER_CHANGED, OVERLOADED, TIMEOUT: ask again; CLOSED, or why
   *   the node stopped
   */
  async ask(question: Uint8Array, membership = false, waitMs = againMs): Promise<Uint8Array> {
    if (this.#closed !== undefined) throw this.#closed;
    const { leader, role } = this.#parts.raft;
    const answerer = this.#answererOf(membership);
    if (role === 'leader' && answerer !== undefined) return answerer(question);
    if (leader === noMember || !this.#parts.canReachLeader()) {
      throw kontikiError('NO_LEADER', 'node: no leader is known that can be reached');
    }
    return this.#send(leader, question, membership ? waitMs : undefined);
  }

  /**
   * Asks a member that may know who leads when this one does not, about the membership.
   *
   * @throws {KontikiError} LEADER_CHANGED, OVERLOADED, TIMEOUT: ask again; CLOSED, or why the node stopped
   */
  async askThrough(member: MemberId, question: Uint8Array): Promise<Uint8Array> {
    if (this.#closed !== undefined) throw this.#closed;
    return this.#send(member, question, againMs);
  }

  /** @param waitMs - of a question about the membership, which is sent once; absent for others */
  #send(to: MemberId, question: Uint8Array, waitMs: number | undefined): Promise<Uint8Array> {
    const { raft, memberId, transport, clock, onSent } = this.#parts;
    if (this.#asked.size >= limits.questionsMax) {
      const message = `node: expected fewer than ${limits.questionsMax} questions waiting at once`;
      throw kontikiError('OVERLOADED', message);
    }
    const id = this.#nextId;
    this.#nextId += 1;
    const deferred = new Deferred<Uint8Array>();
    const head = { kind: 'ask-request', from: memberId, to, term: raft.term, id } as const;
    const isOnce = waitMs !== undefined;
    const request = { ...head, data: question, ...(isOnce && ({ membership: true } as const)) };
    const atMs = clock.monotonicMs();
    const againAtMs = isOnce ? Number.POSITIVE_INFINITY : atMs + againMs;
    this.#asked.set(id, { request, atMs, againAtMs, waitMs: waitMs ?? lostMs, deferred });
    transport.send(request);
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
    else {
      const fields = asked.request.membership ? ({ outcome: 'rejected' } as const) : {};
      asked.deferred.reject(changed(refusal, fields));
    }
  }

  /** The leader that was asked is gone: its answers may never come. */
  leaderChanged(): void {
    this.#refuseAll(() => changed('the leader changed under the question'));
  }

  /** Sends questions again that may be lost, and gives up those that nobody can wait for any more. */
  sweep(): void {
    const { clock, transport } = this.#parts;
    const nowMs = clock.monotonicMs();
    for (const [id, asked] of this.#asked) {
      const { atMs, deferred, request, waitMs } = asked;
      // In the order in which they were asked.
      if (nowMs - atMs < againMs) return;
      if (nowMs - atMs >= waitMs) {
        this.#asked.delete(id);
        deferred.reject(kontikiError('TIMEOUT', 'node: the question was not answered, ask again'));
      } else if (nowMs >= asked.againAtMs) {
        asked.againAtMs = nowMs + 2 * (nowMs - atMs);
        transport.send(request);
      }
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
