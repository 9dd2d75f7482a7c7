// Every rule of the keyspace can fail, and fails for what it is about: a made-up history that holds,
// and for each rule something that must not happen next.
import { describe, expect, test } from 'vitest';
import { InvariantViolation } from '../../../src/testing/invariants/invariant-violation.js';
import { StoreChecker } from '../../../src/testing/invariants/store-checker.js';
import { StoreFacts } from '../../../src/testing/invariants/store-facts.js';
import {
  type StoreInvariantMaker,
  storeInvariants,
} from '../../../src/testing/invariants/store-invariants.js';
import type { ChangeView, StoreStep } from '../../../src/testing/invariants/store-step.js';
import { UnhurriedExpiry } from '../../../src/testing/invariants/unhurried-expiry.js';

type Told<S> = S extends unknown ? Omit<S, 'atUs'> : never;

const put = (key: string, revision: number, more: Partial<ChangeView> = {}): ChangeView => ({
  key,
  type: 'put',
  revision,
  value: `${key}${revision}`,
  ...more,
});
const gone = (key: string, revision: number): ChangeView => ({ key, type: 'delete', revision });

class World {
  readonly checker: StoreChecker;
  #atUs = 1_000;

  /** @param rules - default all */
  constructor(rules = storeInvariants) {
    this.checker = new StoreChecker(rules);
  }

  tell(step: Told<StoreStep>): void {
    this.#atUs += 1;
    this.checker.observe({ ...step, atUs: this.#atUs } as StoreStep);
  }

  apply(index: number, changes: readonly ChangeView[], member = 'n1', revision?: number): void {
    const at = revision ?? changes[0]?.revision ?? 1;
    this.tell({ kind: 'applied', member, index, revision: at, changes });
  }

  batch(revision: number, changes: readonly ChangeView[], fragment?: boolean): void {
    this.tell({ kind: 'watch-batch', stream: 'w', revision, changes, fragment });
  }

  grant(ttlUs: number, sentUs: number): void {
    this.tell({ kind: 'lease-granted', lease: 5n, ttlUs, sentUs });
  }

  end(revision: number, reason: 'expired' | 'revoked' = 'revoked'): void {
    this.tell({ kind: 'lease-ended', lease: 5n, revision, reason });
  }

  expire(decided: { readonly term: number; readonly generation: number }, term: number): void {
    this.tell({ kind: 'lease-ended', lease: 5n, revision: 0, reason: 'expired', term, decided });
  }
}

const history: readonly (readonly ChangeView[])[] = [
  [put('a', 2)],
  [put('b', 3), put('c', 3)],
  [put('a', 4, { version: 2, createRevision: 2, lease: 5n })],
  [gone('b', 5)],
];

/** History as above on n1, and a stream of everything that has revision 2. */
function world(rules?: readonly StoreInvariantMaker[]): World {
  const made = new World(rules);
  made.grant(500, 0);
  for (const [at, changes] of history.entries()) made.apply(at + 1, changes);
  made.tell({
    kind: 'watch-opened',
    stream: 'w',
    member: 'n1',
    fromRevision: 2,
    gte: 'a',
    lt: 'x',
  });
  made.batch(2, history[0]!);
  return made;
}

const breaks: Readonly<Record<string, readonly (readonly [string, (made: World) => void])[]>> = {
  M1: [
    ['a revision is left out', (w) => w.apply(5, [], 'n1', 7)],
    ['a revision goes down', (w) => w.apply(5, [], 'n1', 4)],
    ['another revision on another member', (w) => w.apply(2, [], 'n2', 2)],
  ],
  M2: [
    ['a wrong version', (w) => w.apply(5, [put('a', 6, { version: 2 })])],
    ['a wrong creation', (w) => w.apply(5, [put('b', 6, { createRevision: 3 })])],
  ],
  M6: [
    [
      'two hashes of one revision',
      (w) => {
        const hash = { kind: 'hash', revision: 5, compactRevision: 0 } as const;
        w.tell({ ...hash, member: 'n1', hash: 1 });
        w.tell({ ...hash, member: 'n2', hash: 2 });
      },
    ],
  ],
  L1: [
    ['a key stays', (w) => w.end(0)],
    [
      'another key goes',
      (w) => {
        w.apply(5, [gone('a', 6), gone('c', 6)]);
        w.end(6);
      },
    ],
  ],
  L2: [
    [
      'a lease expires early',
      (w) => {
        w.tell({ kind: 'lease-renewed', lease: 5n, ttlUs: 500, sentUs: 1_000 });
        w.apply(5, [gone('a', 6)]);
        w.end(6, 'expired');
      },
    ],
  ],
  L4: [
    [
      'a key is attached to an ended lease',
      (w) => {
        w.apply(5, [gone('a', 6)]);
        w.end(6);
        w.apply(6, [put('d', 7, { lease: 5n })]);
      },
    ],
  ],
  L5: [
    [
      'an ended lease is renewed',
      (w) => {
        w.apply(5, [gone('a', 6)]);
        w.end(6);
        w.tell({ kind: 'lease-renewed', lease: 5n, ttlUs: 500, sentUs: 5_000 });
      },
    ],
  ],
  L6: [
    [
      'a lease that an earlier leader had noted ends as if nothing had been noted since',
      (w) => {
        w.tell({ kind: 'lease-began', lease: 5n, index: 3, ttlUs: 250_500 });
        w.tell({ kind: 'lease-noted', lease: 5n, leftUs: 2 });
        w.tell({ kind: 'lease-noted', lease: 5n, leftUs: 250_500 });
        w.tell({ kind: 'term-began', term: 2 });
        for (let us = 0; us < 498; us += 1) w.tell({ kind: 'healed' });
        w.end(0, 'expired');
      },
    ],
    [
      'a new lease ends early',
      (w) => {
        w.tell({ kind: 'lease-began', lease: 5n, index: 3, ttlUs: 250_500 });
        w.end(0, 'expired');
      },
    ],
  ],
  L7: [
    [
      'the next lease of the id ends',
      (w) => {
        w.tell({ kind: 'lease-began', lease: 5n, index: 3 });
        w.expire({ term: 2, generation: 2 }, 2);
      },
    ],
    [
      'the word of an earlier leader counts',
      (w) => {
        w.tell({ kind: 'lease-began', lease: 5n, index: 3 });
        w.expire({ term: 2, generation: 3 }, 3);
      },
    ],
  ],
  W1: [
    ['revisions fall in a batch', (w) => w.batch(5, [...history[2]!, ...history[1]!])],
    ['a revision beyond the batch', (w) => w.batch(2, history[1]!)],
  ],
  W2: [['a change comes twice', (w) => w.batch(3, [...history[1]!, put('b', 3)])]],
  W3: [
    [
      'the rest of a revision that was closed',
      (w) => {
        w.checker.facts.streams.get('w')!.delivered = 3;
        w.batch(3, [put('c', 3)]);
      },
    ],
  ],
  W4: [
    ['a change is missing', (w) => w.batch(3, [put('b', 3)])],
    ['a revision is missing', (w) => w.batch(4, history[2]!)],
    ['a change is made up', (w) => w.batch(3, [...history[1]!, put('e', 3)])],
    ['another value', (w) => w.batch(3, [put('b', 3, { value: 'x' }), put('c', 3)])],
    ['a bookmark without what it covers', (w) => w.batch(4, [])],
    ['a fragment in the wrong order', (w) => w.batch(3, [put('c', 3)], true)],
    [
      'a stream that was never opened',
      (w) => w.tell({ kind: 'watch-batch', stream: 'v', revision: 3, changes: [] }),
    ],
  ],
  W5: [
    [
      'a stream resumes too late',
      (w) => w.tell({ kind: 'watch-opened', stream: 'w', member: 'n2', fromRevision: 5, gte: 'a' }),
    ],
  ],
  W6: [
    ['a bookmark goes back', (w) => w.batch(1, [])],
    [
      'a bookmark in the middle of a revision',
      (w) => {
        w.batch(3, [put('b', 3)], true);
        w.batch(2, []);
      },
    ],
  ],
  W7: [
    [
      'a key out of range',
      (w) => {
        w.apply(5, [put('z', 6)]);
        w.checker.facts.streams.get('w')!.delivered = 5;
        w.batch(6, [put('z', 6)]);
      },
    ],
  ],
  W8: [
    [
      'a wrong version before',
      (w) => w.batch(4, [...history[1]!, put('a', 4, { previousRevision: 3 })]),
    ],
  ],
  W9: [
    [
      'a change told as a creation',
      (w) => w.batch(4, [...history[1]!, put('a', 4, { createRevision: 4 })]),
    ],
  ],
  W10: [
    [
      'a batch after the end',
      (w) => {
        w.tell({ kind: 'watch-ended', stream: 'w' });
        w.batch(5, history.slice(1).flat());
      },
    ],
    [
      'a second end',
      (w) => {
        w.tell({ kind: 'watch-ended', stream: 'w' });
        w.tell({ kind: 'watch-ended', stream: 'w' });
      },
    ],
  ],
  W11: [['another change on another member', (w) => w.apply(1, [put('q', 2)], 'n2')]],
  X5: [
    [
      'a call stays open',
      (w) => {
        w.tell({ kind: 'called', call: 1 });
        w.tell({ kind: 'called', call: 2 });
        w.tell({ kind: 'settled', call: 1 });
        w.tell({ kind: 'end' });
      },
    ],
    [
      'a call settles twice',
      (w) => {
        w.tell({ kind: 'called', call: 1 });
        w.tell({ kind: 'settled', call: 1 });
        w.tell({ kind: 'settled', call: 1 });
      },
    ],
  ],
};

const cases = Object.entries(breaks).flatMap(([id, each]) =>
  each.map(([what, act]) => [id, what, act] as const),
);

describe('invariants of the keyspace', () => {
  test('what etcd allows -> no rule fails', () => {
    const made = world();
    for (const [at, changes] of history.entries()) made.apply(at + 1, changes, 'n2');
    made.batch(3, [put('b', 3)], true);
    made.batch(3, [put('c', 3)]);
    made.batch(4, [put('a', 4, { previousRevision: 2, createRevision: 2 })]);
    // Another member goes on with the stream, from something it had already delivered.
    const from = { fromRevision: 3, gte: 'a', lt: 'x' };
    made.tell({ kind: 'watch-opened', stream: 'w', member: 'n2', ...from });
    made.batch(5, history.slice(1).flat());
    made.batch(5, []);
    made.apply(5, [gone('a', 6)]);
    made.end(6, 'expired');
    made.apply(6, [], 'n1', 6);
    made.tell({ kind: 'called', call: 1 });
    made.tell({ kind: 'lost', call: 1 });
    made.tell({ kind: 'watch-ended', stream: 'w' });
    made.tell({ kind: 'end' });
    expect(made.checker.facts.revisions.last).toBe(6);
  });

  test.each(cases)('%s: %s -> fails', (id, _, act) => {
    // Alone, because what breaks one rule of watches usually breaks another as well.
    const rule = storeInvariants.filter((make) => make(new StoreFacts()).id === id);
    const made = world(rule);
    let failure: unknown;
    try {
      act(made);
    } catch (error) {
      failure = error;
    }
    expect(failure).toBeInstanceOf(InvariantViolation);
    expect((failure as InvariantViolation).message).toMatch(new RegExp(`^${id}: `));
  });

  test('the list -> every rule has an id of its own, and a case here', () => {
    const ids = storeInvariants.map((make) => make(new StoreFacts()).id);
    expect(new Set(ids).size).toBe(ids.length);
    expect([...ids].sort()).toEqual(Object.keys(breaks).sort());
  });

  test('a lease that lives as long as the log says, and is meant -> may expire', () => {
    const made = new World();
    made.tell({ kind: 'lease-began', lease: 5n, index: 3, ttlUs: 500 });
    made.tell({ kind: 'lease-noted', lease: 5n, leftUs: 2 });
    made.tell({ kind: 'term-began', term: 2 });
    made.tell({ kind: 'healed' });
    made.expire({ term: 2, generation: 3 }, 2);
  });

  test('clocks that drift -> a lease may expire that much earlier', () => {
    const facts = new StoreFacts();
    facts.keep({ kind: 'lease-granted', atUs: 0, lease: 1n, ttlUs: 1_000_000, sentUs: 0 });
    const rule = new UnhurriedExpiry(facts, 100_000);
    const end = { kind: 'lease-ended', lease: 1n, revision: 0, reason: 'expired' } as const;
    expect(() => rule.check({ ...end, atUs: 900_000 })).not.toThrow();
    expect(() => rule.check({ ...end, atUs: 899_999 })).toThrow('L2: ');
  });
});
