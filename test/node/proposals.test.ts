// One test per transition of the module comment. Time and hand-over are the test's.
import { describe, expect, test, vi } from 'vitest';
import { kontikiError } from '../../src/base/errors.js';
import { limits } from '../../src/base/limits.js';
import { Proposals } from '../../src/node/proposals.js';
import type { ProposalId } from '../../src/node/waiter.js';

const session = 41;
const error = (code: string, outcome?: string) =>
  expect.objectContaining(outcome === undefined ? { code } : { code, outcome });

class World {
  nowMs = 0;
  readonly ids: ProposalId[] = [];
  readonly proposals: Proposals;

  constructor(ofSession = session) {
    const clock = { monotonicMs: () => this.nowMs, wallMs: () => 0 };
    this.proposals = new Proposals({ clock, session: ofSession, sweepMs: 100, resendMs: 1_000 });
  }

  open(options: { timeoutMs?: number; signal?: AbortSignal; bytes?: number } = {}) {
    const { timeoutMs = 1_000, signal, bytes = 1 } = options;
    const encode = (id: ProposalId) => {
      this.ids.push(id);
      return new Uint8Array(bytes);
    };
    const promise = this.proposals.open(encode, { timeoutMs, signal });
    promise.catch(() => undefined);
    return promise;
  }

  take(term = 1, bytesMax = 1_000) {
    return this.proposals.take(term, bytesMax);
  }

  apply(seq: number, value: unknown = `value ${seq}`, ofSession = session): void {
    this.proposals.applied({ requestId: { session: ofSession, seq }, value });
  }

  pass(ms: number): void {
    this.nowMs += ms;
    this.proposals.sweep();
  }
}

describe('bytes that wait to be handed over', () => {
  const huge = limits.queuedBytesMax / 4;

  test('as many as may wait -> taken; one more -> OVERLOADED, rejected; room again -> taken', () => {
    const world = new World();
    for (let nth = 0; nth < 4; nth += 1) void world.open({ bytes: huge });
    expect(() => world.proposals.open(() => new Uint8Array(1), { timeoutMs: 1_000 })).toThrow(
      error('OVERLOADED', 'rejected'),
    );
    expect(world.proposals.pending).toBe(4);
    world.take(1, 1);
    void world.open({ bytes: huge });
    expect(world.proposals.pending).toBe(5);
  });

  test('those whose time is over -> make room', () => {
    const world = new World();
    for (let nth = 0; nth < 4; nth += 1) void world.open({ bytes: huge });
    world.pass(2_000);
    void world.open({ bytes: 4 * huge });
    expect(world.proposals.pending).toBe(1);
  });

  test('a single one of any size -> taken', () => {
    const world = new World();
    void world.open({ bytes: limits.queuedBytesMax + 1 });
    expect(world.proposals.pending).toBe(1);
  });
});

describe('a proposal that goes well', () => {
  test('opened, handed over, applied here -> the answer of the state machine', async () => {
    const world = new World();
    const promise = world.open({ bytes: 3 });
    expect([world.proposals.pending, world.proposals.hasQueued]).toEqual([1, true]);
    const { commands } = world.take();
    expect(commands).toEqual([new Uint8Array(3)]);
    expect([world.proposals.pending, world.proposals.hasQueued]).toEqual([1, false]);
    world.apply(1);
    expect(await promise).toBe('value 1');
    expect(world.proposals.pending).toBe(0);
  });

  test('an answer of undefined is an answer', async () => {
    const world = new World();
    const promise = world.open();
    world.take();
    world.proposals.applied({ requestId: { session, seq: 1 }, value: undefined });
    expect(await promise).toBeUndefined();
  });

  test('applied by others, or of no proposal: settles nobody', () => {
    const world = new World();
    void world.open();
    world.take();
    world.apply(1, 'x', session + 1);
    world.apply(2);
    world.proposals.applied({ value: 'x' });
    expect(world.proposals.pending).toBe(1);
  });

  test('an error the state machine came to: as it is, and rejected', async () => {
    const world = new World();
    const promise = world.open();
    world.take();
    const compacted = { compactRevision: 7, outcome: 'unknown', cause: 'why' } as const;
    world.apply(1, kontikiError('COMPACTED', 'gone', compacted));
    await expect(promise).rejects.toMatchObject({
      code: 'COMPACTED',
      message: 'gone',
      compactRevision: 7,
      cause: 'why',
      outcome: 'rejected',
    });
  });
});

describe('doneBelow', () => {
  test('the lowest that is still open, itself when there is none', () => {
    const world = new World();
    for (let nth = 0; nth < 3; nth += 1) void world.open();
    world.take();
    world.apply(2);
    void world.open();
    world.apply(1);
    void world.open();
    world.apply(3);
    world.apply(4);
    world.apply(5);
    world.take();
    world.apply(4);
    world.apply(5);
    void world.open();
    expect(world.ids.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(world.ids.map(({ doneBelow }) => doneBelow)).toEqual([1, 1, 1, 1, 3, 6]);
    expect(new Set(world.ids.map((id) => id.session))).toEqual(new Set([session]));
  });

  test('a command that cannot be encoded: thrown at once, and its number is given again', async () => {
    const world = new World();
    const broken = () => {
      throw new Error('too large');
    };
    expect(() => world.proposals.open(broken, { timeoutMs: 1 })).toThrow('too large');
    expect([world.proposals.pending, world.proposals.hasQueued]).toEqual([0, false]);
    void world.open();
    expect(world.ids).toEqual([{ session, seq: 1, doneBelow: 1 }]);
  });
});

describe('hand-over', () => {
  test('up to the bytes, at least one, in order', () => {
    const world = new World();
    for (const bytes of [500, 400, 200, 3_000, 1]) void world.open({ bytes });
    const sizes = () => world.take(1, 1_000).commands.map((command) => command.length);
    expect(sizes()).toEqual([500, 400]);
    expect(sizes()).toEqual([200]);
    expect(sizes()).toEqual([3_000]);
    expect(sizes()).toEqual([1]);
    expect(sizes()).toEqual([]);
  });

  test('exactly the bytes: all of them together', () => {
    const world = new World();
    for (const bytes of [500, 500, 1]) void world.open({ bytes });
    expect(world.take(1, 1_000).commands).toHaveLength(2);
  });

  test('settled while queued: not handed over, and nothing is queued any more', async () => {
    const world = new World();
    const abort = new AbortController();
    void world.open({ signal: abort.signal, bytes: 1 });
    void world.open({ timeoutMs: 50, bytes: 2 });
    const last = world.open({ bytes: 3 });
    abort.abort();
    world.pass(100);
    expect(world.take().commands).toEqual([new Uint8Array(3)]);
    world.apply(3);
    await last;
    void world.open({ timeoutMs: 50 });
    world.pass(100);
    expect([world.proposals.pending, world.proposals.hasQueued]).toEqual([0, false]);
  });

  test('batches of two lives of a member have different names', () => {
    const ids = [41, 97].map((of) => {
      const world = new World(of);
      void world.open();
      const first = world.take().id;
      void world.open();
      return [first, world.take().id];
    });
    expect(new Set(ids.flat()).size).toBe(4);
  });

  test('names of batches stay safe integers above 0, whatever the session', () => {
    const world = new World(Number.MAX_SAFE_INTEGER);
    for (let nth = 0; nth < 3; nth += 1) {
      void world.open();
      const { id } = world.take();
      expect(Number.isSafeInteger(id) && id > 0).toBe(true);
    }
  });
});

describe('a batch that is refused', () => {
  const refusal = kontikiError('LEADER_CHANGED', 'not mine');

  test('all that are open in it are rejected, nobody else', async () => {
    const world = new World();
    const [a, b, c] = [world.open(), world.open(), world.open()];
    const { id } = world.take(1, 2);
    const other = world.take(1, 2);
    world.apply(1);
    world.proposals.refuse(id, refusal);
    expect(await a).toBe('value 1');
    await expect(b).rejects.toEqual(error('LEADER_CHANGED', 'rejected'));
    expect(world.proposals.pending).toBe(1);
    world.proposals.refuse(id, refusal);
    world.proposals.refuse(id + other.id, refusal);
    world.proposals.refuse(0, refusal);
    expect(world.proposals.pending).toBe(1);
    world.proposals.refuse(other.id, refusal);
    await expect(c).rejects.toEqual(error('LEADER_CHANGED', 'rejected'));
  });
});

describe('an entry of a later term', () => {
  test('what was sent in an earlier one is rejected; queued ones and later ones are not', async () => {
    const world = new World();
    const old = world.open();
    world.take(2);
    const current = world.open();
    world.take(3);
    void world.open();
    world.proposals.termApplied(2);
    expect(world.proposals.pending).toBe(3);
    world.proposals.termApplied(3);
    await expect(old).rejects.toEqual(error('LEADER_CHANGED', 'rejected'));
    expect(world.proposals.pending).toBe(2);
    world.apply(2);
    expect(await current).toBe('value 2');
    expect(world.take(3).commands).toHaveLength(1);
  });
});

describe('a proposal whose time is over', () => {
  test('queued -> NO_LEADER, rejected', async () => {
    const world = new World();
    const promise = world.open({ timeoutMs: 250 });
    world.pass(250);
    expect(world.proposals.pending).toBe(1);
    world.pass(50);
    await expect(promise).rejects.toEqual(error('NO_LEADER', 'rejected'));
  });

  test('sent -> TIMEOUT, unknown; its late apply settles nobody', async () => {
    const world = new World();
    const promise = world.open({ timeoutMs: 250 });
    world.take();
    world.pass(300);
    await expect(promise).rejects.toEqual(error('TIMEOUT', 'unknown'));
    world.apply(1);
    expect(world.proposals.pending).toBe(0);
  });

  test('applied in time: the deadline passes without effect', async () => {
    const world = new World();
    const promise = world.open({ timeoutMs: 250 });
    world.take();
    world.apply(1);
    world.pass(1_000);
    expect(await promise).toBe('value 1');
  });

  test.each([0, -1, Number.NaN])('a timeout of %s -> ARGUMENT_INVALID, rejected', (timeoutMs) => {
    const world = new World();
    expect(() => world.open({ timeoutMs })).toThrow(error('ARGUMENT_INVALID', 'rejected'));
    expect(world.proposals.pending).toBe(0);
  });

  test('no timeout at all: waits for ever', () => {
    const world = new World();
    void world.open({ timeoutMs: Infinity });
    world.pass(10 ** 6);
    expect(world.proposals.pending).toBe(1);
  });
});

describe('a proposal that is aborted', () => {
  const reason = new Error('enough');

  test('before it is opened -> the reason, and it is never encoded', () => {
    const world = new World();
    expect(() => world.open({ signal: AbortSignal.abort(reason) })).toThrow(reason);
    expect(world.ids).toEqual([]);
  });

  test('queued -> the reason itself, and it is never handed over', async () => {
    const world = new World();
    const abort = new AbortController();
    const promise = world.open({ signal: abort.signal });
    abort.abort(reason);
    await expect(promise).rejects.toBe(reason);
    expect(world.take().commands).toEqual([]);
  });

  test('sent -> ABORTED, unknown, with the reason as cause', async () => {
    const world = new World();
    const abort = new AbortController();
    const promise = world.open({ signal: abort.signal });
    world.take();
    abort.abort(reason);
    await expect(promise).rejects.toEqual(error('ABORTED', 'unknown'));
    await expect(promise).rejects.toMatchObject({ cause: reason });
  });

  test.each([
    ['applied', (world: World) => world.apply(1)],
    ['timed out', (world: World) => world.pass(5_000)],
    ['aborted', (_: World, abort: AbortController) => abort.abort()],
    ['closed', (world: World) => world.proposals.close(kontikiError('CLOSED', 'closed'))],
  ])('%s: its listener is removed', async (_, end) => {
    const world = new World();
    const abort = new AbortController();
    const add = vi.spyOn(abort.signal, 'addEventListener');
    const remove = vi.spyOn(abort.signal, 'removeEventListener');
    void world.open({ signal: abort.signal });
    world.take();
    end(world, abort);
    expect(world.proposals.pending).toBe(0);
    expect(remove.mock.calls.map(([type, listener]) => [type, listener])).toEqual(
      add.mock.calls.map(([type, listener]) => [type, listener]),
    );
    abort.abort();
  });
});

describe('close', () => {
  test('queued -> rejected, sent -> unknown, both with the error given', async () => {
    const world = new World();
    const sent = world.open();
    world.take();
    const queued = world.open();
    world.proposals.close(kontikiError('STORAGE_IO', 'disk', { cause: 'why' }));
    await expect(sent).rejects.toEqual(error('STORAGE_IO', 'unknown'));
    await expect(queued).rejects.toEqual(error('STORAGE_IO', 'rejected'));
    await expect(queued).rejects.toMatchObject({ message: 'disk', cause: 'why' });
    expect([world.proposals.pending, world.proposals.hasQueued]).toEqual([0, false]);
    expect(world.take().commands).toEqual([]);
  });

  test('open afterwards -> the first error, rejected, and nothing is encoded', () => {
    const world = new World();
    world.proposals.close(kontikiError('STORAGE_IO', 'disk'));
    world.proposals.close(kontikiError('CLOSED', 'closed'));
    expect(() => world.open()).toThrow(error('STORAGE_IO', 'rejected'));
    expect(world.ids).toEqual([]);
  });
});

describe('the limit on waiters', () => {
  test('one fewer: taken; as many: OVERLOADED, rejected; one settled: taken again', () => {
    const world = new World();
    for (let nth = 1; nth < limits.waitersMax; nth += 1) void world.open();
    void world.open();
    expect(world.proposals.pending).toBe(limits.waitersMax);
    expect(() => world.open()).toThrow(error('OVERLOADED', 'rejected'));
    expect(world.ids).toHaveLength(limits.waitersMax);
    world.take(1, Infinity);
    world.apply(50_000);
    void world.open();
    expect(world.ids.at(-1)?.seq).toBe(limits.waitersMax + 1);
  });
});

describe('a snapshot in the place of entries', () => {
  test('handed over before it came -> OVERTAKEN, unknown; queued or handed over later -> open', async () => {
    const world = new World();
    const carried = world.open();
    world.take(3);
    const settled = world.open();
    world.take(3);
    const queued = world.open();
    const { sent } = world.proposals;
    world.take(4);
    world.apply(2);
    world.proposals.overtaken(sent);
    await expect(carried).rejects.toEqual(error('OVERTAKEN', 'unknown'));
    expect(await settled).toBe('value 2');
    // Entries of a later term do not make a possibly carried one certain.
    world.proposals.termApplied(4);
    expect(world.proposals.pending).toBe(1);
    world.apply(3);
    expect(await queued).toBe('value 3');
  });
});
