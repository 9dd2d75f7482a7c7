/**
 * All sessions, in memory, and what of them is to be stored (DESIGN §4.8). What a session is follows
 * from the requests that were applied alone, in whatever batches: so it is the same on every member at
 * an applied index, and so are its records, which are brought up to date at the end of each batch.
 */
import { assert } from '../base/assert.js';
import type { BinaryString } from '../base/bytes.js';
import { type KontikiError, kontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import { sessionIdEnd } from '../base/session-id.js';
import type { Change, StoredRecord } from './backend.js';
import { type Answer, decodeAnswer, encodeAnswer } from './session-answer.js';
import {
  answersPerPage,
  decodeSessionPage,
  encodeSessionPage,
  type SessionPage,
  sessionKey,
} from './session-record.js';
import type { SessionRequest } from './session-types.js';
import type { HashSums } from './state-hash.js';

interface Page extends SessionPage {
  readonly key: BinaryString;
  lastIndex: number;
  floor: number;
  readonly answers: Map<number, Uint8Array>;
  /** Its record; `undefined` when there is none yet. */
  stored: Uint8Array | undefined;
}

interface Session {
  readonly id: number;
  lastIndex: number;
  /** Requests below it are refused. */
  floor: number;
  readonly pages: Map<number, Page>;
}

/** @since 0.1.0 */
export class SessionTable {
  readonly #sessions = new Map<number, Session>();
  /** Written to since {@link takeChanges}. */
  readonly #dirty = new Set<Page>();
  /** Gone since then. */
  #removed: Page[] = [];

  /**
   * The table of stored sessions.
   *
   * @param records - all of them
   * @throws {KontikiError} STATE_CORRUPT, FORMAT_UNSUPPORTED
   */
  static of(records: readonly StoredRecord[]): SessionTable {
    const table = new SessionTable();
    for (const [recordKey, bytes] of records) table.#load(recordKey, bytes);
    return table;
  }

  /** How many there are. */
  get size(): number {
    return this.#sessions.size;
  }

  /**
   * What a request that must not be executed is answered: what it came to before, or `SESSION_EXPIRED`
   * when nobody knows any more whether it was. `undefined`: it is to be executed.
   */
  answered({ session: id, seq }: SessionRequest): Answer | undefined {
    if (id >= sessionIdEnd) return undefined;
    const session = this.#sessions.get(id);
    if (session === undefined || seq < session.floor) return expired(id, seq);
    const kept = session.pages.get(pageOf(seq))?.answers.get(seq % answersPerPage);
    return kept === undefined ? undefined : decodeAnswer(kept);
  }

  /**
   * Keeps what a request came to.
   *
   * @param request - one that is not {@link answered}
   * @param answer - what it came to
   * @param index - of its entry
   */
  keep({ session: id, seq, doneBelow }: SessionRequest, answer: Answer, index: number): void {
    if (id >= sessionIdEnd) return;
    const session = this.#sessions.get(id);
    // Whoever opens a session under the name of the oldest one has pushed that out. No member does, but
    // a command that a broken one passed on is in the log of all.
    if (session === undefined) return;
    // The request itself is not done, whatever its proposer says.
    const done = Math.min(doneBelow, seq);
    const floor = Math.max(session.floor, done, seq - limits.sessionAnswersMax + 1);
    const page = this.#page(session, pageOf(seq));
    page.answers.set(seq % answersPerPage, encodeAnswer(answer));
    page.lastIndex = index;
    page.floor = floor;
    this.#dirty.add(page);
    session.lastIndex = index;
    const isTurned = pageOf(floor) > pageOf(session.floor);
    session.floor = floor;
    if (isTurned) this.#removeBelow(session, pageOf(floor));
  }

  /** Opens a session; the one whose last request is longest ago makes room. @param index - its id */
  open(index: number): void {
    while (this.#sessions.size >= limits.sessionsMax) this.#evict();
    const session: Session = { id: index, lastIndex: index, floor: 0, pages: new Map() };
    this.#sessions.set(index, session);
    const page = this.#page(session, 0);
    page.lastIndex = index;
    this.#dirty.add(page);
  }

  /**
   * Hands out what changed since the last call.
   *
   * @param changes - is added to
   * @param sums - are brought up to date
   */
  takeChanges(changes: Change[], sums: HashSums): void {
    if (this.#removed.length > 0) {
      for (const { key, stored } of this.#removed) {
        if (stored === undefined) continue;
        changes.push([key, undefined]);
        sums.subtract('sessions', stored);
      }
      this.#removed = [];
    }
    for (const page of this.#dirty) {
      this.#trim(page);
      const bytes = encodeSessionPage(page);
      if (page.stored !== undefined) sums.subtract('sessions', page.stored);
      sums.add('sessions', bytes);
      changes.push([page.key, bytes]);
      page.stored = bytes;
    }
    this.#dirty.clear();
  }

  /** Only a page that was written to: another one's record would not follow. */
  #trim({ answers, floor, page }: Page): void {
    const first = floor - page * answersPerPage;
    if (first <= 0) return;
    for (const place of answers.keys()) if (place < first) answers.delete(place);
  }

  #page(session: Session, number: number): Page {
    let page = session.pages.get(number);
    if (page === undefined) {
      const key = sessionKey(session.id, number);
      const head = { session: session.id, page: number, lastIndex: 0, floor: 0 };
      page = { key, ...head, answers: new Map(), stored: undefined };
      session.pages.set(number, page);
    }
    return page;
  }

  #removeBelow(session: Session, first: number): void {
    for (const page of session.pages.values()) {
      if (page.page < first) this.#remove(session, page);
    }
  }

  #remove(session: Session, page: Page): void {
    session.pages.delete(page.page);
    this.#dirty.delete(page);
    this.#removed.push(page);
  }

  #evict(): void {
    let oldest: Session | undefined;
    for (const session of this.#sessions.values()) {
      if (oldest === undefined || session.lastIndex < oldest.lastIndex) oldest = session;
    }
    assert(oldest !== undefined, 'a table that is full holds a session');
    for (const page of oldest.pages.values()) this.#remove(oldest, page);
    this.#sessions.delete(oldest.id);
  }

  #load(recordKey: BinaryString, bytes: Uint8Array): void {
    const { session: id, page, lastIndex, floor, answers } = decodeSessionPage(recordKey, bytes);
    let session = this.#sessions.get(id);
    if (session === undefined) {
      session = { id, lastIndex, floor, pages: new Map() };
      this.#sessions.set(id, session);
    }
    session.lastIndex = Math.max(session.lastIndex, lastIndex);
    session.floor = Math.max(session.floor, floor);
    const head = { key: recordKey, session: id, page, lastIndex, floor };
    session.pages.set(page, { ...head, answers: new Map(answers), stored: new Uint8Array(bytes) });
  }
}

function pageOf(seq: number): number {
  return Math.floor(seq / answersPerPage);
}

function expired(session: number, seq: number): KontikiError {
  const message = `keyspace: request ${seq} of session ${session} came when its answer was no longer kept`;
  return kontikiError('SESSION_EXPIRED', message, { outcome: 'unknown' });
}
