/**
 * What users were told of locks, held against what locks promise. Each name guards one resource, which is
 * told at every use which token it was done with. True time is known here, so each clock's drift is
 * allowed for and nothing else.
 */
import { driftPpm } from './lease-ledger.js';

/** @since 0.1.0 */
export class LockLedger {
  readonly #violated: (id: string, message: string) => void;
  /** By name: the greatest token a holder was given, and when it heard of it. */
  readonly #newest = new Map<string, { readonly token: number; readonly sinceUs: number }>();
  readonly #given = new Set<string>();
  #uses = 0;

  /** @param violated - told of promises that were broken */
  constructor(violated: (id: string, message: string) => void) {
    this.#violated = violated;
  }

  /** Locks that somebody held. */
  get held(): number {
    return this.#given.size;
  }

  /** Uses of what they guard. */
  get uses(): number {
    return this.#uses;
  }

  /** K1: somebody is told that it holds a lock. */
  granted(name: string, token: number, nowUs: number): void {
    const grant = `${name} ${token}`;
    if (this.#given.has(grant)) this.#violated('K1', `token ${token} of ${name} was given twice`);
    this.#given.add(grant);
    const { token: newest = 0 } = this.#newest.get(name) ?? {};
    if (token > newest) this.#newest.set(name, { token, sinceUs: nowUs });
  }

  /**
   * K2: somebody uses what a lock guards, `lost` not having fired. Then nobody may have been told that it
   * holds the lock with a greater token, but for what their clocks differ in.
   */
  used(name: string, { token, ttlSeconds }: LockUse, nowUs: number): void {
    this.#uses += 1;
    const newest = this.#newest.get(name);
    if (newest === undefined || newest.token <= token) return;
    const lateUs = nowUs - newest.sinceUs;
    if (lateUs <= ttlSeconds * driftPpm) return;
    const what = `${name} was used with token ${token}`;
    this.#violated('K2', `${what} ${lateUs} us after another one held it with ${newest.token}`);
  }
}

/** @since 0.1.0 */
export interface LockUse {
  readonly token: number;
  /** Of the session. */
  readonly ttlSeconds: number;
}
