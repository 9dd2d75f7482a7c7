/**
 * The load: every file is put under its path, over and over, through all members at once. What a
 * member refuses, or leaves open, is sent again.
 */
import { MemberGone, type MemberProcess } from './member-process.js';
import type { FailedPut, Item, PutReport } from './protocol.js';

/** Requests of a member that are under way at a time, and puts of a request. */
const requestsPerMember = 4;
const putsPerRequest = 8;

/** The puts of one member, or of all. */
export class Tally {
  acknowledged = 0;
  rejected = 0;
  unknown = 0;
  readonly latenciesMs: number[] = [];

  add(report: PutReport): void {
    this.acknowledged += report.latenciesMs.length;
    this.rejected += report.rejected.length;
    this.unknown += report.unknown.length;
    for (const ms of report.latenciesMs) this.latenciesMs.push(ms);
  }
}

export class Load {
  /** Of all members. */
  readonly total = new Tally();
  /** By the member's name; a restarted member goes on with its old one. */
  readonly byMember = new Map<string, Tally>();
  /** How often each error code came. */
  readonly codes = new Map<string, number>();
  readonly #items: readonly Item[];
  readonly #again: Item[] = [];
  readonly #workers = new Set<Promise<void>>();
  #taken = 0;
  #stopping = false;
  #failure: Error | undefined;

  /** @param items - what to write; from the first again when the last is done */
  constructor(items: readonly Item[]) {
    this.#items = items;
  }

  /** Whether every key was sent at least once. */
  get hasSentAll(): boolean {
    return this.#taken >= this.#items.length;
  }

  /** Sends this member its share from now on, until it ends or the load is stopped. */
  add(member: MemberProcess): void {
    if (!this.byMember.has(member.name)) this.byMember.set(member.name, new Tally());
    for (let count = 0; count < requestsPerMember; count += 1) {
      const worker: Promise<void> = this.#serve(member)
        .catch((error: Error) => {
          this.#failure ??= error;
        })
        .finally(() => this.#workers.delete(worker));
      this.#workers.add(worker);
    }
  }

  /** Throws what went wrong beyond failed puts, if anything did. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Waits for what is under way, and sends what failed until `members` have taken all of it. */
  async stop(members: readonly MemberProcess[]): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#workers);
    while (this.#again.length > 0 && this.#failure === undefined) {
      for (const member of members) this.add(member);
      await Promise.all(this.#workers);
    }
    this.check();
  }

  async #serve(member: MemberProcess): Promise<void> {
    for (let items = this.#take(); items.length > 0; items = this.#take()) {
      try {
        this.#settle(member.name, await member.ask('put', items));
      } catch (error) {
        if (!(error instanceof MemberGone)) throw error;
        // The process took its answers with it: each of these puts may have taken effect.
        const unknown = items.map((item) => ({ item, code: 'process killed' }));
        this.#settle(member.name, { latenciesMs: [], rejected: [], unknown });
        return;
      }
    }
  }

  /** The next puts, those that failed first; none when the load is over. */
  #take(): Item[] {
    const items = this.#again.splice(0, putsPerRequest);
    while (items.length < putsPerRequest && !this.#stopping) {
      items.push(this.#items[this.#taken % this.#items.length] as Item);
      this.#taken += 1;
    }
    return items;
  }

  #settle(name: string, report: PutReport): void {
    this.total.add(report);
    this.byMember.get(name)?.add(report);
    this.#sendAgain(report.rejected);
    // Safe here because a key's value never changes; a counter would have to be read first.
    this.#sendAgain(report.unknown);
  }

  #sendAgain(failed: readonly FailedPut[]): void {
    for (const { item, code } of failed) {
      this.#again.push(item);
      this.codes.set(code, (this.codes.get(code) ?? 0) + 1);
    }
  }
}
