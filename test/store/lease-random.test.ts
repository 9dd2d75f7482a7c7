// Leases under random faults: members cut off, restarted, leaders replaced at any moment, long leases
// checkpointed. Whatever happens, no lease ends before a TTL after the send of its last keep-alive that
// succeeded (L2, L6), its holder knows by then, nothing is kept alive that is gone (L4, L5), all of it
// ends once nobody keeps it alive, and then all members are equal.
// `KONTIKI_DEPTH=n` runs n times as many; a failure prints its seed.
import { afterAll, expect, test } from 'vitest';
import { isKontikiError } from '../../src/base/errors.js';
import { Prng, randomInt } from '../../src/base/prng.js';
import type { Lease } from '../../src/store/index.js';
import { VirtualStores } from './virtual-store.js';

const depth = Math.max(1, Math.floor(Number(process.env.KONTIKI_DEPTH ?? 1)));
const pollMs = 10;

/** What the test knows of a lease, without asking anybody. */
interface Held {
  readonly lease: Lease;
  readonly holder: number;
  /** A TTL after the send of the last keep-alive that succeeded. */
  safeUntilMs: number;
  isRevoked: boolean;
  goneMs: number | undefined;
}

class LeaseWorld {
  readonly stores: VirtualStores;
  readonly random: Prng;
  readonly held: Held[] = [];
  readonly #down = new Set<number>();
  successes = 0;

  constructor(stores: VirtualStores, seed: number) {
    this.stores = stores;
    this.random = new Prng(seed);
  }

  pick(bound: number): number {
    return randomInt(this.random, bound);
  }

  get now(): number {
    return this.stores.time.monotonicMs();
  }

  grant(): void {
    const holder = 1 + this.pick(3);
    if (this.#down.has(holder)) return;
    const sentMs = this.now;
    const store = this.stores.store(holder);
    const granted = store.lease(3 + this.pick(10), { timeoutMs: 2_000 }).then((lease) => {
      const safeUntilMs = sentMs + lease.ttlSeconds * 1_000;
      const held = { lease, holder, safeUntilMs, isRevoked: false, goneMs: undefined };
      this.held.push(held);
      store.put(`key-${this.pick(20)}`, '', { lease: lease.id }).catch(() => undefined);
    });
    granted.catch(() => undefined);
  }

  keepAlive(held: Held): void {
    if (this.#down.has(held.holder)) return;
    const sentMs = this.now;
    held.lease.keepAlive({ timeoutMs: 1_500 }).then(
      () => {
        this.successes += 1;
        const until = sentMs + held.lease.ttlSeconds * 1_000;
        held.safeUntilMs = Math.max(held.safeUntilMs, until);
        if (!held.isRevoked) this.check(held);
      },
      (error: unknown) => {
        // Who revoked it is told so by the lease itself.
        if (held.isRevoked) return;
        // It says that it is gone: then it must not be there, on whichever member is ahead.
        if (isKontikiError(error, 'LEASE_NOT_FOUND')) expect(this.isGoneSomewhere(held)).toBe(true);
      },
    );
  }

  revoke(held: Held): void {
    if (this.#down.has(held.holder)) return;
    held.isRevoked = true;
    held.lease.revoke({ timeoutMs: 2_000 }).catch(() => undefined);
  }

  isGoneSomewhere({ lease }: Held): boolean {
    return this.stores.ids.some(
      (id) => !this.#down.has(id) && !this.stores.member(id).machine.keyspace.hasLease(lease.id),
    );
  }

  check(held: Held): void {
    if (held.goneMs === undefined || held.isRevoked) return;
    const what = `lease ${held.lease.id} of ${held.lease.ttlSeconds} s, gone at ${held.goneMs}`;
    expect(held.goneMs, what).toBeGreaterThanOrEqual(held.safeUntilMs - pollMs);
  }

  /** Lets time pass, and looks which leases are gone where. A member that lags saw none of them. */
  async run(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += pollMs) {
      await this.stores.time.run(pollMs);
      const ahead = this.#mostApplied();
      for (const held of this.held) {
        if (held.goneMs !== undefined || ahead.hasLease(held.lease.id)) continue;
        held.goneMs = this.now;
        this.check(held);
        if (!held.isRevoked) expect(held.lease.lost.aborted, 'its holder knows').toBe(true);
      }
    }
  }

  #mostApplied() {
    const up = this.stores.ids.filter((id) => !this.#down.has(id));
    const machines = up.map((id) => this.stores.member(id).machine);
    return machines.reduce((a, b) => (a.appliedIndex >= b.appliedIndex ? a : b)).keyspace;
  }

  async stop(id: number): Promise<void> {
    if (this.#down.size > 0) return;
    this.#down.add(id);
    await this.stores.settle(this.stores.store(id).close());
  }

  async start(): Promise<void> {
    for (const id of this.#down) await this.stores.open(id);
    this.#down.clear();
  }

  async step(): Promise<void> {
    const roll = this.pick(100);
    const any = 1 + this.pick(3);
    const held = this.held[this.pick(this.held.length || 1)];
    if (roll < 20) this.grant();
    else if (roll < 80) {
      for (const each of this.held) if (this.pick(3) === 0) this.keepAlive(each);
    } else if (roll < 83 && held !== undefined) this.revoke(held);
    else if (roll < 87) this.stores.isolate(any);
    else if (roll < 94) this.stores.heal();
    else if (roll < 97) await this.stop(any);
    else await this.start();
    await this.run(50 + this.pick(600));
  }
}

let successes = 0;

afterAll(() => {
  // Else the faults left nothing to look at.
  expect(successes).toBeGreaterThan(50 * seeds.length);
});

const seeds = Array.from({ length: 6 * depth }, (_, nth) => nth + 1);

test.each(seeds)(
  'seed %i: leases live as long as promised, and no longer than they may',
  async (seed) => {
    const stores = await VirtualStores.opened(3, { leaseCheckpointMs: 3_000 });
    const world = new LeaseWorld(stores, seed);
    for (let nth = 0; nth < 120; nth += 1) await world.step();
    stores.heal();
    await world.start();
    // The longest TTL, and elections.
    await world.run(13_000 + 6_000);
    expect(world.held.filter(({ goneMs }) => goneMs === undefined)).toEqual([]);
    for (const id of stores.ids) {
      expect([...stores.member(id).machine.keyspace.leases()]).toHaveLength(0);
    }
    const hashes = stores.ids.map((id) => stores.member(id).machine.keyspace.stateHash);
    expect(new Set(hashes).size).toBe(1);
    expect((await stores.settle(stores.store(1).range({ prefix: 'key-' }))).kvs).toEqual([]);
    successes += world.successes;
    await stores.close();
    expect(stores.time.uncaught).toEqual([]);
  },
  60_000,
);
