import { describe, expect, test } from 'vitest';
import { Deferred } from '../../src/base/deferred.js';
import { kontikiError } from '../../src/base/errors.js';
import { type PeerMemory, PeerRegistry, type PeerView } from '../../src/node/peer-registry.js';
import type { MemberId } from '../../src/raft/types.js';
import type { MemberIdentity } from '../../src/transport/transport.js';

const dir = (digit: string) => digit.repeat(32);
const peer = (memberId: MemberId, dirId = dir('a'), clusterId = 7): MemberIdentity => {
  return { clusterId, memberId, dirId };
};
const error = (code: string) => expect.objectContaining({ code });

/** Finishes a save when the test says so. */
class SlowMemory implements PeerMemory {
  pairs: ReadonlyMap<MemberId, string>;
  readonly saves: [MemberId, string][][] = [];
  #open: Deferred<void> | undefined;

  constructor(pairs: readonly [MemberId, string][] = []) {
    this.pairs = new Map(pairs);
  }

  load() {
    return this.pairs;
  }

  async save(pairs: ReadonlyMap<MemberId, string>): Promise<void> {
    expect(this.#open, 'saves do not overlap').toBeUndefined();
    this.saves.push([...pairs]);
    this.#open = new Deferred();
    try {
      await this.#open.promise;
      this.pairs = pairs;
    } finally {
      this.#open = undefined;
    }
  }

  async finish(failure?: unknown): Promise<void> {
    await settle();
    if (failure === undefined) this.#open?.resolve();
    else this.#open?.reject(failure);
    await settle();
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

/** `pending` until the promise settles, then `admitted` or the code of the refusal. */
function watched(admit: Promise<void>): { outcome: string } {
  const seen = { outcome: 'pending' };
  admit.then(
    () => {
      seen.outcome = 'admitted';
    },
    (reason: { code: string }) => {
      seen.outcome = reason.code;
    },
  );
  return seen;
}

/** A member of 1, 2 and 3, of which 9 was removed; it has nothing to forget, unless told otherwise. */
function registry(pairs: readonly [MemberId, string][] = [], view: Partial<PeerView> = {}) {
  const memory = new SlowMemory(pairs);
  const nobody = async () => {
    throw kontikiError('NO_LEADER', 'nobody leads');
  };
  const whole: PeerView = {
    isMember: (id) => id <= 3,
    isRemoved: (id) => id === 9,
    hasHistory: () => false,
    leads: () => false,
    vouch: nobody,
    ...view,
  };
  return { memory, peers: new PeerRegistry(peer(1), whole, memory) };
}

/** Of members that have something to forget. */
const history = { hasHistory: () => true };
const leading = { ...history, leads: () => true };
const vouching = (code?: 'MEMBER_IDENTITY_CHANGED' | 'MEMBER_UNKNOWN' | 'TIMEOUT') => ({
  ...history,
  vouch: async () => {
    if (code !== undefined) throw kontikiError(code, 'says the leader');
  },
});

describe('peer registry', () => {
  test('a member met for the first time: admitted once the pair is durable', async () => {
    const { memory, peers } = registry();
    const first = watched(peers.admit(peer(2), false));
    await settle();
    expect(first.outcome).toBe('pending');
    await memory.finish();
    expect(first.outcome).toBe('admitted');
    expect(memory.saves).toEqual([[[2, dir('a')]]]);
  });

  test('a member that is known: admitted without another save', async () => {
    const { memory, peers } = registry([[2, dir('a')]]);
    await peers.admit(peer(2), false);
    expect(memory.saves).toEqual([]);
  });

  test('a known member with another directory: refused, remembered or loaded', async () => {
    const { memory, peers } = registry([[2, dir('a')]]);
    const changed = error('MEMBER_IDENTITY_CHANGED');
    await expect(peers.admit(peer(2, dir('b')), false)).rejects.toEqual(changed);
    await expect(peers.admit(peer(2, dir('b')), true)).rejects.toEqual(changed);
    const admitted = peers.admit(peer(3, dir('c')), false);
    await memory.finish();
    await admitted;
    await expect(peers.admit(peer(3, dir('d')), false)).rejects.toEqual(changed);
  });

  test.each([
    ['a member, by one that leads', peer(2), leading],
    ['a member that the leader vouches for', peer(2), vouching()],
    ['a newcomer, by one that has nothing to forget', peer(4), {}],
    // It may come from entries that only such members have.
    ['a newcomer, by one that knows no leader', peer(4), history],
  ] as const)('%s -> admitted', async (_, identity, view) => {
    const { memory, peers } = registry([], view);
    const seen = watched(peers.admit(identity, false));
    await memory.finish();
    expect(seen.outcome).toBe('admitted');
    expect(memory.saves).toEqual([[[identity.memberId, identity.dirId]]]);
  });

  test.each([
    ['another cluster', peer(2, dir('a'), 8), 'CLUSTER_MISMATCH'],
    ['itself', peer(1), 'MEMBER_UNKNOWN'],
    ['one that was removed', peer(9), 'MEMBER_REMOVED'],
    ['nobody of the cluster, to the leader', peer(4), 'MEMBER_UNKNOWN', leading],
    [
      'nobody of the cluster, says the leader',
      peer(4),
      'MEMBER_UNKNOWN',
      vouching('MEMBER_UNKNOWN'),
    ],
    [
      'a directory that the leader met as another',
      peer(2),
      'MEMBER_IDENTITY_CHANGED',
      vouching('MEMBER_IDENTITY_CHANGED'),
    ],
    ['a directory that nobody can tell about', peer(2), 'NO_LEADER', history],
    ['a directory that the leader cannot tell about', peer(2), 'NO_LEADER', vouching('TIMEOUT')],
  ] as const)(
    'a peer, %s: refused, remembered never',
    async (_, identity, code, view: Partial<PeerView> = {}) => {
      const { memory, peers } = registry([], view);
      await expect(peers.admit(identity, false)).rejects.toEqual(error(code));
      await expect(peers.admit(identity, true)).rejects.toEqual(error(code));
      expect(memory.saves).toEqual([]);
    },
  );

  test('a probe leaves no trace: the next directory is admitted', async () => {
    const { memory, peers } = registry();
    await peers.admit(peer(2, dir('b')), true);
    expect(memory.saves).toEqual([]);
    const later = watched(peers.admit(peer(2, dir('a')), false));
    await memory.finish();
    expect(later.outcome).toBe('admitted');
  });

  test('the same member twice at once: one save, both admitted', async () => {
    const { memory, peers } = registry();
    const both = [peers.admit(peer(2), false), peers.admit(peer(2), false)].map(watched);
    await memory.finish();
    expect(both.map(({ outcome }) => outcome)).toEqual(['admitted', 'admitted']);
    expect(memory.saves).toHaveLength(1);
  });

  test('one member id from two directories at once: the first is in, the second refused', async () => {
    const { memory, peers } = registry();
    const first = watched(peers.admit(peer(2, dir('a')), false));
    const second = watched(peers.admit(peer(2, dir('b')), false));
    await memory.finish();
    expect([first.outcome, second.outcome]).toEqual(['admitted', 'MEMBER_IDENTITY_CHANGED']);
    expect([...memory.pairs]).toEqual([[2, dir('a')]]);
  });

  test('two members at once: saved one after the other, the second save has both', async () => {
    const { memory, peers } = registry();
    const both = [peers.admit(peer(2), false), peers.admit(peer(3, dir('c')), false)].map(watched);
    await memory.finish();
    expect(both.map(({ outcome }) => outcome)).toEqual(['admitted', 'pending']);
    await memory.finish();
    expect(both.map(({ outcome }) => outcome)).toEqual(['admitted', 'admitted']);
    expect([...memory.pairs]).toEqual([
      [2, dir('a')],
      [3, dir('c')],
    ]);
  });

  test('a save fails: refused, not remembered, and the next attempt saves again', async () => {
    const { memory, peers } = registry();
    const failed = watched(peers.admit(peer(2), false));
    await memory.finish(kontikiError('STORAGE_IO', 'disk'));
    expect(failed.outcome).toBe('STORAGE_IO');
    const again = watched(peers.admit(peer(2, dir('b')), false));
    await memory.finish();
    expect(again.outcome).toBe('admitted');
    expect(memory.saves).toEqual([[[2, dir('a')]], [[2, dir('b')]]]);
  });

  test('close: resolves when no save is under way, whether or not it succeeds; saves no more', async () => {
    const { memory, peers } = registry();
    const admitted = watched(peers.admit(peer(2), false));
    await settle();
    let isIdle = false;
    const idle = peers.close().then(() => {
      isIdle = true;
    });
    await settle();
    expect(isIdle).toBe(false);
    await memory.finish(kontikiError('STORAGE_IO', 'disk'));
    await idle;
    expect(admitted.outcome).toBe('STORAGE_IO');
    await expect(peers.admit(peer(2), false)).rejects.toEqual(error('CLOSED'));
    expect(memory.saves).toHaveLength(1);
  });
});
