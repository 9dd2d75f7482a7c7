import { describe, expect, test } from 'vitest';
import { Deferred } from '../../src/base/deferred.js';
import { kontikiError } from '../../src/base/errors.js';
import { type PeerMemory, PeerRegistry } from '../../src/node/peer-registry.js';
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

function registry(pairs: readonly [MemberId, string][] = []) {
  const memory = new SlowMemory(pairs);
  return { memory, peers: new PeerRegistry(peer(1), [1, 2, 3], memory) };
}

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
    ['another cluster', peer(2, dir('a'), 8), 'CLUSTER_MISMATCH'],
    ['nobody of the cluster', peer(4), 'MEMBER_UNKNOWN'],
    ['itself', peer(1), 'MEMBER_UNKNOWN'],
  ])('a peer of %s: refused, remembered never', async (_, identity, code) => {
    const { memory, peers } = registry();
    await expect(peers.admit(identity, false)).rejects.toEqual(error(code));
    await expect(peers.admit(identity, true)).rejects.toEqual(error(code));
    expect(memory.saves).toEqual([]);
  });

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

  test('idle: resolves when no save is under way, whether or not it succeeds', async () => {
    const { memory, peers } = registry();
    await peers.idle();
    const admitted = watched(peers.admit(peer(2), false));
    let isIdle = false;
    const idle = peers.idle().then(() => {
      isIdle = true;
    });
    await settle();
    expect(isIdle).toBe(false);
    await memory.finish(kontikiError('STORAGE_IO', 'disk'));
    await idle;
    expect(admitted.outcome).toBe('STORAGE_IO');
  });
});
