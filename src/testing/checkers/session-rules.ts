/**
 * Which requests of a log are executed, which are answered from memory, and which are refused: the
 * rules of sessions (DESIGN §4.8), written to be believed rather than to be fast.
 */
import { limits } from '../../base/limits.js';
import { sessionIdEnd } from '../../base/session-id.js';
import type { SessionRequest } from '../../mvcc/session-types.js';

interface Session {
  lastIndex: number;
  floor: number;
  readonly executed: Set<number>;
}

/**
 * Takes the entries of a log one after the other.
 *
 * @since 0.1.0
 */
export class SessionRules {
  readonly #sessions = new Map<number, Session>();
  /** Name that the opener of a session drew for itself, for good. */
  readonly #owners = new Map<number, number>();

  /** A session was opened by the entry at `index`, under a name that its proposer drew. */
  opened(index: number, { session: owner }: SessionRequest): void {
    if (this.#sessions.size >= limits.sessionsMax) {
      const byAge = [...this.#sessions].sort(([, a], [, b]) => a.lastIndex - b.lastIndex);
      this.#sessions.delete(byAge[0]?.[0] ?? 0);
    }
    this.#sessions.set(index, { lastIndex: index, floor: 0, executed: new Set() });
    this.#owners.set(index, owner);
  }

  /** What must become of a request at `index`. */
  takes({ session: id, seq, doneBelow }: SessionRequest, index: number): SessionVerdict {
    if (id >= sessionIdEnd) return 'executed';
    const session = this.#sessions.get(id);
    if (session === undefined || seq < session.floor) return 'refused';
    if (session.executed.has(seq)) return 'repeated';
    session.executed.add(seq);
    session.lastIndex = index;
    const oldest = seq - limits.sessionAnswersMax + 1;
    session.floor = Math.max(session.floor, Math.min(doneBelow, seq), oldest);
    return 'executed';
  }

  /** A request by the name that it has in every session of its proposer. */
  nameOf({ session, seq }: SessionRequest): Pick<SessionRequest, 'session' | 'seq'> {
    return { session: this.#owners.get(session) ?? session, seq };
  }
}

/** What becomes of a request. @since 0.1.0 */
export type SessionVerdict = 'executed' | 'repeated' | 'refused';
