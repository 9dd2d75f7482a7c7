/**
 * The sessions of the reference model: every answer there ever was, and the rules by which one is known.
 */
import type { Command, KeyVersion, SessionRequest } from '../../src/mvcc/index.js';
import type { CommandOrigin } from '../../src/mvcc/lease-types.js';
import { placeAt } from './reference-leases.js';

type Answer = Record<string, unknown>;

/** A command that comes under the name of a request. */
export type Requested = Command & { readonly request?: SessionRequest };

/** Where the n-th command of a log stands: ids of sessions, unlike generations, never come again. */
export function originOf(nth: number, { op, request }: Requested): CommandOrigin {
  if (request === undefined && op !== 'session-open') return placeAt(nth);
  return { ...placeAt(nth), index: nth, request };
}

interface Session {
  readonly id: number;
  lastIndex: number;
  floor: number;
  readonly answers: Map<number, Answer>;
}

export class ReferenceSessions {
  sessions: Session[] = [];

  open(id: number): Answer {
    if (this.sessions.length === 64) {
      const oldest = Math.min(...this.sessions.map(({ lastIndex }) => lastIndex));
      this.sessions = this.sessions.filter(({ lastIndex }) => lastIndex !== oldest);
    }
    this.sessions.push({ id, lastIndex: id, floor: 0, answers: new Map() });
    return { session: id };
  }

  answered(request: SessionRequest | undefined): Answer | undefined {
    if (request === undefined || request.session >= 2 ** 52) return undefined;
    const session = this.sessions.find(({ id }) => id === request.session);
    if (session === undefined || request.seq < session.floor) return { code: 'SESSION_EXPIRED' };
    const kept = session.answers.get(request.seq);
    return kept === undefined || sizeOf(kept) <= 1_024 ? kept : cut(kept);
  }

  keep({ request, index }: CommandOrigin, answer: Answer): void {
    const session = this.sessions.find(({ id }) => id === request?.session);
    if (request === undefined || session === undefined) return;
    const { seq, doneBelow } = request;
    session.lastIndex = index;
    session.floor = Math.max(session.floor, Math.min(doneBelow, seq), seq - 4_095);
    session.answers.set(seq, answer);
  }
}

function cut({ op, revision, deleted, succeeded }: Answer): Answer {
  if (op === 'delete') return { op, revision, deleted, partial: true };
  if (op === 'txn') return { op, revision, succeeded, results: [], partial: true };
  return { op, revision, partial: true };
}

/** Bytes of the answers that can be long; the others are short. */
function sizeOf(answer: Answer): number {
  const previous = [answer.previous ?? []].flat() as unknown as readonly KeyVersion[];
  const versions = (list: readonly KeyVersion[]) =>
    list.reduce((sum, { key, value }) => sum + 40 + key.length + value.length, 0);
  switch (answer.op) {
    case 'put':
      return 10 + versions(previous);
    case 'delete':
      return 18 + (answer.previous === undefined ? 0 : 4 + versions(previous));
    case 'range':
      return 22 + versions(answer.kvs as readonly KeyVersion[]);
    case 'txn':
      return (answer.results as readonly Answer[]).reduce((sum, each) => sum + sizeOf(each), 14);
    default:
      return 0;
  }
}
