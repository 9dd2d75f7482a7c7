/**
 * Whom a member asks about a peer that it never met: the leader, by way of others if need be. Only the
 * leader can tell a directory that is new from one that was wiped: see `PeerRegistry` (ADR 0018).
 *
 * Three ways, one after the other. A message to the leader; a message to any other member, which passes
 * it on, for the leader may be the very peer that is not let in. Both are answered only by who was let in
 * here. A member that met nobody but those that are gone, one that was added while all others were cut off,
 * is answered by none of them: it asks the addresses of the list, one at a time, as one that joins does.
 */
import { kontikiError } from '../base/errors.js';
import {
  decodeMembershipAnswer,
  decodeMembershipQuestion,
  encodeMembershipQuestion,
  type MembershipAnswer,
} from '../codec/membership-codec.js';
import type { RawNode } from '../raft/raw-node.js';
import type { MemberId } from '../raft/types.js';
import type { MemberIdentity, Transport } from '../transport/transport.js';
import type { Questions } from './questions.js';

/** @since 0.1.0 */
export interface VouchersParts {
  readonly memberId: MemberId;
  readonly raft: Pick<RawNode, 'role'>;
  readonly questions: Pick<Questions, 'ask' | 'askThrough'>;
  readonly transport: Pick<Transport, 'inquire'>;
  /** Members that can be reached. */
  readonly linked: () => readonly MemberId[];
  /** Whether a member was let in here before: it can answer. */
  readonly hasMet: (id: MemberId) => boolean;
  /** Where the members are, this one too. */
  readonly addresses: () => ReadonlyMap<MemberId, string | undefined>;
}

/** @since 0.1.0 */
export class Vouchers {
  readonly #parts: VouchersParts;
  /** Members that do not lead take turns. */
  #members = 0;
  /** And so do addresses. */
  #places = 0;

  /** @param parts - see {@link VouchersParts} */
  constructor(parts: VouchersParts) {
    this.#parts = parts;
  }

  /**
   * Resolves if the leader vouches for the peer.
   *
   * @param probe - the peer only asks: nobody remembers it
   * @throws {KontikiError} what the leader refuses the peer with; NO_LEADER, when nothing was said of it
   */
  async ask(peer: MemberIdentity, probe: boolean): Promise<void> {
    // It would ask itself, who cannot tell, for ever.
    if (this.#parts.raft.role === 'leader') {
      throw kontikiError('NO_LEADER', 'node: nothing committed yet');
    }
    const { clusterId, memberId, dirId, life } = peer;
    const asked = { kind: 'vouch', peer: { clusterId, memberId, dirId, life }, probe } as const;
    const answer = await this.#answer(encodeMembershipQuestion(asked)).catch((cause) => {
      return this.#inquire(peer, encodeMembershipQuestion({ ...asked, probe: true }), cause);
    });
    if (answer.status === 'refused') throw kontikiError(answer.code, answer.message);
  }

  /**
   * Passes a question of a member that does not know who leads on to the leader, once.
   *
   * @throws {KontikiError} NO_LEADER, and whatever says that the leader cannot tell
   */
  async relay(bytes: Uint8Array): Promise<Uint8Array> {
    const question = decodeMembershipQuestion(bytes);
    if (question.kind !== 'vouch' || question.isRelayed === true) {
      throw kontikiError('NO_LEADER', 'node: this member does not lead');
    }
    const relayed = encodeMembershipQuestion({ ...question, isRelayed: true });
    return this.#parts.questions.ask(relayed, true);
  }

  async #answer(question: Uint8Array): Promise<MembershipAnswer> {
    const { questions } = this.#parts;
    const asked = questions.ask(question, true).catch(() => this.#askAny(question));
    return decodeMembershipAnswer(await asked);
  }

  /** Whoever leads may be the very one that is not let in: then others know it. */
  async #askAny(question: Uint8Array): Promise<Uint8Array> {
    const { hasMet, linked, questions } = this.#parts;
    this.#members += 1;
    const other = turnOf(linked().filter(hasMet), this.#members);
    if (other === undefined) throw kontikiError('NO_LEADER', 'node: nobody can be asked');
    return questions.askThrough(other, question);
  }

  /** Anybody may answer there, so nothing but a leader's "I know it" counts. */
  async #inquire(
    { address, memberId: id }: MemberIdentity,
    question: Uint8Array,
    cause: unknown,
  ): Promise<MembershipAnswer> {
    const { addresses, memberId, transport } = this.#parts;
    const places = new Map(addresses());
    places.delete(memberId);
    // The list may be older than where a peer says it is.
    const all = new Set([...places.values(), address]);
    this.#places += 1;
    const place = turnOf([...all].filter(Boolean), this.#places) ?? '';
    try {
      const told = place === '' ? undefined : await transport.inquire?.(place, question);
      const answer = told && decodeMembershipAnswer(told);
      if (answer?.status === 'done' && answer.id === id) return answer;
    } catch {
      // Whoever listens there; it is the next one's turn.
    }
    // Of a member that stops it may be its own end, MEMBER_REMOVED, which the peer would take for its own.
    throw kontikiError('NO_LEADER', 'node: no leader answered', { cause });
  }
}

function turnOf<T>(all: readonly T[], turn: number): T | undefined {
  return all[turn % Math.max(1, all.length)];
}
