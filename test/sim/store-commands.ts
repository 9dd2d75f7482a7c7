// Random commands for one store, through its public face, noted in a ledger.
import { type Random, randomInt } from '../../src/base/prng.js';
import type { Command, PutOperation } from '../../src/mvcc/index.js';
import type { Lease } from '../../src/store/lease.js';
import { cmp, op, operationOf, toDelete, toPut } from '../../src/store/operations.js';
import type { Store } from '../../src/store/store.js';
import { textOfPair } from './store-content.js';
import type { Issued, Ledger } from './store-ledger.js';

/** Expires only when a test waits for it. */
const longSeconds = 1_000_000;
const keys = Array.from({ length: 8 }, (_, nth) => `k/${'x'.repeat(nth % 3)}${nth}`);
const sizes = [0, 5, 60, 60, 300, 442, 1_200];

export class StoreCommands {
  /** The first answer that was wrong. */
  violation: unknown;
  readonly #ledger: Ledger;
  readonly #random: Random;
  #written = 0;
  #leases = 0n;
  /** Of this life of the store, which alone can revoke them. */
  #held: Lease[] = [];

  constructor(ledger: Ledger, random: Random) {
    this.#ledger = ledger;
    this.#random = random;
  }

  /** Another life of the store. */
  forgetLeases(): void {
    this.#held = [];
  }

  /** Calls the store once; what it answers is noted when it does. */
  issue(store: Store): void {
    const dice = this.#int(20);
    if (dice < 9) this.put(store, this.#lease());
    else if (dice < 12) this.#delete(store);
    else if (dice < 16) this.#txn(store);
    else if (dice === 16) this.#grant(store, longSeconds);
    else if (dice === 17) this.#revoke(store);
    else this.#compact(store);
  }

  put(store: Store, lease: bigint | undefined): void {
    const key = this.#key();
    const value = this.#value();
    const options = { lease, previous: this.#int(2) === 0 };
    const command = toPut(key, value, options);
    this.#note(command, async () => {
      const { revision, previous } = await store.put(key, value, options);
      return { revision, previous: previous && textOfPair(previous) };
    });
  }

  /** A lease of two seconds with a key; from then on nothing else may be issued until it is gone. */
  grantShort(store: Store): bigint {
    const id = this.#grant(store, 2);
    this.put(store, id);
    return id;
  }

  /** The store will expire the lease: to be noted when nothing else is under way. */
  expire(id: bigint): Issued {
    return this.#ledger.issue(this.#ledger.expiryOf(id));
  }

  /** A lease that will not live long, if there is one. */
  get short(): bigint | undefined {
    const { leases } = this.#ledger.model.leases;
    return leases.find(({ ttlSeconds }) => ttlSeconds < longSeconds)?.id;
  }

  #delete(store: Store): void {
    const key = this.#key();
    const target = this.#int(3) === 0 ? { from: key, to: 'k/x5' } : key;
    if (typeof target === 'object' && target.from >= target.to) return;
    this.#note(toDelete(target, {}), () => store.delete(target));
  }

  #txn(store: Store): void {
    const [a, b] = [this.#key(), this.#key()];
    const version = this.#ledger.model.stateAt(this.#ledger.model.revision);
    const isLikely = this.#int(4) > 0;
    const known = version.find(({ key }) => key === a)?.modRevision ?? 0;
    const compare = cmp.modRevision(a).eq(isLikely ? known : 1);
    const success = [op.put(a, this.#value()), ...(a === b ? [] : [op.delete(b)])];
    const failure = [op.put(a, this.#value()), ...(a === b ? [] : [op.put(b, this.#value())])];
    const command = {
      op: 'txn',
      compares: [compare],
      success: success.map(operationOf),
      failure: failure.map(operationOf),
    } as const;
    this.#note(command, async () => {
      const txn = store.txn().if(compare);
      const { revision, succeeded } = await txn
        .do(...success)
        .else(...failure)
        .commit();
      return { revision, succeeded };
    });
  }

  #compact(store: Store): void {
    const revision = Math.max(2, this.#ledger.model.revision - this.#int(6));
    this.#note({ op: 'compact', revision }, () => store.compact(revision));
  }

  #grant(store: Store, ttlSeconds: number): bigint {
    const isRepeated = this.#leases > 0n && ttlSeconds === longSeconds && this.#int(4) === 0;
    if (!isRepeated) this.#leases += 1n;
    const id = this.#leases;
    this.#note({ op: 'lease-grant', id, ttlSeconds }, async () => {
      this.#held.push(await store.lease(ttlSeconds, { id }));
      return {};
    });
    return id;
  }

  #revoke(store: Store): void {
    const lease = this.#held.pop();
    if (lease === undefined) return this.put(store, undefined);
    const { id, _generation: generation } = lease;
    this.#note({ op: 'lease-revoke', id, generation }, () => lease.revoke());
  }

  #note(command: Command, call: () => Promise<object>): void {
    const issued = this.#ledger.issue(command);
    // Called in order, so that they are in the log in order.
    void call()
      .then(
        (answer) => this.#ledger.answered(issued, answer),
        (error: unknown) => this.#ledger.failed(issued, error),
      )
      .catch((violation: unknown) => {
        this.violation ??= violation;
      });
  }

  #lease(): PutOperation['lease'] {
    if (this.#leases === 0n || this.#int(4) > 0) return undefined;
    return 1n + BigInt(this.#int(Number(this.#leases)));
  }

  #key(): string {
    return keys[this.#int(keys.length)] as string;
  }

  /** Never the same twice. */
  #value(): string {
    this.#written += 1;
    return `${this.#written}`.padEnd(sizes[this.#int(sizes.length)] as number, '.');
  }

  #int(below: number): number {
    return randomInt(this.#random, below);
  }
}
