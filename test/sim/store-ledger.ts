// What one store was asked and what it answered, beside a model and an undisturbed keyspace that are
// given the same: so after a crash it is known what must be there, what may be, and what must not.
//
//     issued -> confirmed (answered, or found after a crash) -> model, keyspace
//            -> refused before it reached the log, or gone in a crash: never seen again
import { isDeepStrictEqual } from 'node:util';
import { isKontikiError } from '../../src/base/errors.js';
import type { Command, KeyVersion, LogPlace } from '../../src/mvcc/index.js';
import type { Entry } from '../../src/raft/types.js';
import { MemoryEngine, WriteBehindBackend } from '../../src/storage/index.js';
import { StoreStateMachine } from '../../src/store/state-machine.js';
import { ReferenceModel } from '../mvcc/reference-model.js';
import { ManualTimers } from '../storage/manual-timers.js';
import { type StoreContent, textOfVersion } from './store-content.js';
import { WrittenLog } from './written-log.js';

/** A command on its way. */
export interface Issued {
  readonly command: Command;
  /** Fields of what came back, or the code of the keyspace's error. */
  answer?: object;
  /** Nobody was told what became of it. */
  isUnknown: boolean;
}

/** What the keyspace itself answers with: the command had its place in the log, and no effect. */
const applied = [
  'KEY_NOT_FOUND',
  'LEASE_NOT_FOUND',
  'LEASE_EXISTS',
  'COMPACTED',
  'FUTURE_REVISION',
];

export class Ledger {
  readonly model = new ReferenceModel();
  readonly log = new WrittenLog();
  /** In the order of the log. */
  #open: Issued[] = [];
  /** Of the confirmed commands and the sessions they name, for the undisturbed keyspace. */
  #entries: Entry[] = [];
  #twin: StoreStateMachine | undefined;
  /** Of the last entry that is accounted for. */
  #place: LogPlace = { term: 0, index: 0 };
  confirmed = 0;
  /** Commands of which a crash kept the outcome from the caller, and that had their effect. */
  foundLater = 0;

  /** Whether everything issued has an outcome. */
  get isQuiet(): boolean {
    return this.#open.length === 0;
  }

  issue(command: Command): Issued {
    const issued = { command, isUnknown: false };
    this.#open.push(issued);
    return issued;
  }

  answered(issued: Issued, answer: object): void {
    if (issued.answer !== undefined) throw new Error(`answered twice: ${nameOf(issued)}`);
    issued.answer = answer;
  }

  /** Takes the answers in. Those of one moment may have come in any order. */
  settle(): void {
    const last = this.#open.findLastIndex(({ answer }) => answer !== undefined);
    for (let at = 0; at <= last; at += 1) {
      const issued = this.#open[0] as Issued;
      const { answer, isUnknown } = issued;
      // One log, one order: what was issued before it was applied before it.
      if (answer === undefined && !isUnknown) throw new Error(`overtaken: ${nameOf(issued)}`);
      const expected = this.#confirm();
      if (answer === undefined) this.foundLater += 1;
      for (const [field, value] of Object.entries(answer ?? {})) {
        if (expected[field] === value) continue;
        throw new Error(`${nameOf(issued)}: ${field} ${value}, expected ${expected[field]}`);
      }
    }
  }

  failed(issued: Issued, error: unknown): void {
    if (!isKontikiError(error)) throw error;
    const { code, outcome } = error;
    if (applied.includes(code)) this.answered(issued, { code });
    else if (outcome === 'rejected') this.#open.splice(this.#open.indexOf(issued), 1);
    else if (outcome === 'unknown') issued.isUnknown = true;
    else throw new Error(`${nameOf(issued)}: failed without an outcome`, { cause: error });
  }

  /**
   * A store was opened: what its log got before it was lost must be the first so many of the open
   * commands, and its content exactly the model's then.
   *
   * @param leader - term of its leader, and the newest entry, which is no command
   * @param elections - how many other leaders may have left an entry since the last time
   */
  recovered(content: StoreContent, leader: LogPlace, elections: number): void {
    const before = this.confirmed;
    let leaders = 0;
    while (this.#place.index < leader.index - 1) {
      if (this.log.kindOf(this.#place.index + 1) === 'leader') {
        leaders += 1;
        this.#place = { ...this.#place, index: this.#place.index + 1 };
      } else if (!this.#takeSession()) {
        if (this.#open.length === 0) throw this.#differs(content, leader);
        this.#confirm();
      }
    }
    const isNext = this.#place.index === leader.index - 1;
    const isLed = isNext && this.log.kindOf(leader.index) === 'leader';
    if (!isLed || this.log.termOf(leader.index) !== leader.term || leaders > elections) {
      throw this.#differs(content, leader);
    }
    if (!this.#holds(content)) throw this.#differs(content, leader);
    this.foundLater += this.confirmed - before;
    this.#open = [];
    this.#place = leader;
  }

  /** The command with which the present leader ends a lease that nobody kept alive. */
  expiryOf(id: bigint): Command {
    const generation = this.model.leases.find(id)?.generation ?? 0;
    return { op: 'lease-revoke', id, expired: { term: this.#place.term, generation } };
  }

  /**
   * Of an undisturbed keyspace that was given the confirmed commands. Not while a run is in progress.
   *
   * @param appliedIndex - last entry that the store has applied: there may be none that nobody knows of
   */
  async stateHash(appliedIndex: number): Promise<string> {
    // Whoever asked for it may have given up before its command was in the log.
    if (this.#place.index < appliedIndex) this.#takeSession();
    if (this.#place.index !== appliedIndex) {
      throw new Error(`applied up to entry ${appliedIndex}, expected ${this.#place.index}`);
    }
    return (await this.twin()).keyspace.stateHash;
  }

  async twin(): Promise<StoreStateMachine> {
    if (this.#twin === undefined) {
      const engine = new MemoryEngine();
      const backend = await WriteBehindBackend.open({ engine, timers: new ManualTimers() });
      this.#twin = new StoreStateMachine(backend);
      await this.#twin.open();
    }
    await this.#twin.apply(this.#entries);
    this.#entries = [];
    return this.#twin;
  }

  /** The session that the store opens for itself before the first command of a life. */
  #takeSession(): boolean {
    if (this.log.kindOf(this.#place.index + 1) !== 'session-open') return false;
    this.#take({ op: 'session-open' });
    return true;
  }

  #take(command: Command): void {
    this.#place = { ...this.#place, index: this.#place.index + 1 };
    this.#entries.push(this.log.take(this.#place, command));
  }

  #confirm(): Record<string, unknown> {
    this.#takeSession();
    const { command } = this.#open.shift() as Issued;
    this.#take(command);
    this.confirmed += 1;
    const { answer } = this.model.execute(command, this.#place);
    const { previous } = answer as { readonly previous?: KeyVersion };
    return previous === undefined ? answer : { ...answer, previous: textOfVersion(previous) };
  }

  #holds(content: StoreContent): boolean {
    return isDeepStrictEqual(content, this.#content());
  }

  #content(): StoreContent {
    const { compactRevision, leases, revision } = this.model;
    const sorted = [...leases.leases].sort((a, b) => (a.id < b.id ? -1 : 1));
    const texts = sorted.map(({ id, ttlSeconds }) => `${id}:${ttlSeconds}`);
    const kvs = this.model.stateAt(revision).map(textOfVersion);
    return { revision, compactRevision, kvs, leases: texts };
  }

  #differs(content: StoreContent, leader: LogPlace): Error {
    const open = this.#open.map(nameOf).join(', ');
    const text = (it: StoreContent) => JSON.stringify(it).slice(0, 3_000);
    return new Error(
      `found ${text(content)} at entry ${leader.index}, expected ${text(this.#content())} ` +
        `at ${this.#place.index}, open: ${open}`,
    );
  }
}

function nameOf({ command }: Issued): string {
  const text = (_: string, value: unknown) => (typeof value === 'bigint' ? `${value}` : value);
  return JSON.stringify({ ...command, value: undefined }, text);
}
