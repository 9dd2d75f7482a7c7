// Goal: no more is on its way to a member than may be, whatever ends it is noticed, and nothing of it stays
// counted: neither sum nor queue may stand still for good. Method: each way in which room comes, then random
// interleavings of all.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { kontikiError } from '../../src/base/errors.js';
import { sessionIdEnd } from '../../src/base/session-id.js';
import { nodeLimits } from '../../src/node/node-limits.js';
import { Proposals } from '../../src/node/proposals.js';

const [leader, another] = [7, 8];
const session = sessionIdEnd + 5;
const whole = nodeLimits.forwardBytesMax;
const zeros = new Uint8Array(whole + 1);

class World {
  nowMs = 0;
  /** Of the last batch. */
  lastId = 0;
  readonly proposals: Proposals;
  #session: number;

  constructor(keepsSessions = false) {
    this.#session = session;
    this.proposals = new Proposals({
      clock: { monotonicMs: () => this.nowMs, wallMs: () => 0 },
      ...{ session, sweepMs: 100, resendMs: 1_000 },
      ...(keepsSessions && { sessions: { open: () => new Uint8Array(9), idOf: Number } }),
    });
    if (!keepsSessions) return;
    this.open(1);
    expect(this.take()).toEqual([9]);
    this.proposals.applied({ requestId: { session, seq: 2 }, value: 1 });
    this.#session = 1;
    expect(this.take()).toEqual([1]);
    this.applied(1);
  }

  open(
    bytes: number,
    { timeoutMs = 60_000, signal }: { timeoutMs?: number; signal?: AbortSignal } = {},
  ) {
    const command = zeros.subarray(0, bytes);
    this.proposals.open(() => command, { timeoutMs, signal }).catch(() => undefined);
  }

  /** Sizes of the commands that go now, in one batch. */
  take(to = leader, term = 1): number[] {
    const { id, commands } = this.proposals.take(term, Infinity, to);
    if (commands.length > 0) this.lastId = id;
    return commands.map((command) => command.length);
  }

  applied(seq: number): void {
    this.proposals.applied({ requestId: { session: this.#session, seq }, value: 'done' });
  }

  refused(code: 'LEADER_CHANGED' | 'OVERLOADED', id = this.lastId): void {
    this.proposals.refuse(id, kontikiError(code, 'no', { outcome: 'rejected' }));
  }

  pass(ms: number): void {
    this.nowMs += ms;
    this.proposals.sweep();
  }
}

describe('what is on its way to another member', () => {
  test('as much as may be -> goes; one byte more waits', () => {
    const world = new World();
    for (const bytes of [whole - 1, 1, 1]) world.open(bytes);
    expect(world.take()).toEqual([whole - 1, 1]);
    expect(world.take()).toEqual([]);
    expect(world.proposals.hasQueued).toBe(true);
    world.applied(1);
    expect(world.take()).toEqual([1]);
  });

  test('one command that is more than may be -> goes alone', () => {
    const world = new World();
    for (const bytes of [1, whole + 1, 1]) world.open(bytes);
    expect(world.take()).toEqual([1]);
    expect(world.take()).toEqual([]);
    world.applied(1);
    expect(world.take()).toEqual([whole + 1]);
    expect(world.take()).toEqual([]);
    world.applied(2);
    expect(world.take()).toEqual([1]);
  });

  test('more than a batch may be, with room for it -> goes in a batch of its own', () => {
    const world = new World();
    for (let nth = 0; nth < 3; nth += 1) world.open(whole / 2);
    const taken = () => world.proposals.take(1, whole / 4, leader).commands.length;
    expect([taken(), taken(), taken()]).toEqual([1, 1, 0]);
  });

  test('to the own log, or on another way -> counts for itself', () => {
    const world = new World();
    for (let nth = 0; nth < 4; nth += 1) world.open(whole);
    expect([world.take(0), world.take(leader)]).toEqual([Array(4).fill(whole), []]);
    for (let nth = 0; nth < 2; nth += 1) world.open(whole);
    expect([world.take(leader), world.take(leader)]).toEqual([[whole], []]);
    expect(world.take(another)).toEqual([whole]);
  });

  test.each<[string, (world: World) => void, boolean]>([
    ['one of its commands is applied', (world) => world.applied(2), true],
    ['it is refused', (world) => world.refused('OVERLOADED'), true],
    ['its link falls', ({ proposals }) => proposals.linkLost(leader), true],
    ['another link falls', ({ proposals }) => proposals.linkLost(another), false],
    ['a later term begins', ({ proposals }) => proposals.termApplied(2), true],
    ['a snapshot comes', ({ proposals }) => proposals.overtaken(proposals.sent), true],
    ['an election timeout goes by', (world) => world.pass(1_000), true],
    ['less than that goes by', (world) => world.pass(900), false],
  ])('a batch that fills the way, and then %s -> there is room: %s', (_, end, isRoom) => {
    const world = new World();
    for (const bytes of [whole / 2, whole / 2, whole]) world.open(bytes);
    expect([world.take(), world.take()]).toEqual([[whole / 2, whole / 2], []]);
    end(world);
    expect(world.take()).toEqual(isRoom ? [whole] : []);
  });

  test.each<[string, (world: World) => void]>([
    ['it is refused', (world) => world.refused('LEADER_CHANGED')],
    ['its link falls', ({ proposals }) => proposals.linkLost(leader)],
    ['an election timeout goes by', (world) => world.pass(500)],
  ])('given up by time and by signal -> still on its way, until %s', (_, end) => {
    const world = new World();
    const abort = new AbortController();
    world.open(whole / 2, { signal: abort.signal });
    world.open(whole / 2, { timeoutMs: 500 });
    world.open(whole);
    expect(world.take()).toEqual([whole / 2, whole / 2]);
    abort.abort();
    world.pass(500);
    expect([world.proposals.pending, world.take()]).toEqual([1, []]);
    end(world);
    expect(world.take()).toEqual([whole]);
  });

  test('sent for the third time -> counts as lost after four election timeouts, holds room for one', () => {
    const world = new World(true);
    for (const bytes of [whole, whole]) world.open(bytes);
    for (const ms of [0, 1_000, 2_000]) {
      world.pass(ms);
      expect([world.take(), world.take()]).toEqual([[whole], []]);
    }
    world.pass(1_000);
    expect(world.take()).toEqual([whole]);
  });
});

const nth = fc.nat(20);
const steps = fc.oneof(
  fc.record({ kind: fc.constant('open' as const), of: fc.constantFrom(1, 3, 9, 17), nth }),
  fc.record({ kind: fc.constant('take' as const), to: fc.constantFrom(0, leader, another), nth }),
  fc.record({
    kind: fc.constantFrom('apply', 'refuse', 'abort', 'link', 'snapshot', 'term', 'pass'),
    nth,
  }),
);

describe('what is on its way, in random interleavings', () => {
  test.each([false, true])('sessions: %s -> all room comes back, and no more', (keepsSessions) => {
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 60 }), (sequence) => {
        const world = new World(keepsSessions);
        const { proposals } = world;
        const [ids, aborts]: [number[], AbortController[]] = [[], []];
        let term = 1;
        for (const step of sequence) {
          if (step.kind === 'open' && 'of' in step) {
            const abort = new AbortController();
            aborts.push(abort);
            const timeoutMs = step.nth % 2 === 0 ? 700 : 5_000;
            world.open((whole / 16) * step.of, { signal: abort.signal, timeoutMs });
          } else if ('to' in step) {
            const sizes = world.take(step.to, term);
            const bytes = sizes.reduce((sum, size) => sum + size, 0);
            if (step.to !== 0 && sizes.length > 1) expect(bytes).toBeLessThanOrEqual(whole);
            if (sizes.length > 0) ids.push(world.lastId);
          } else if (step.kind === 'apply') world.applied(step.nth);
          else if (step.kind === 'refuse') {
            world.refused(step.nth % 2 === 0 ? 'LEADER_CHANGED' : 'OVERLOADED', ids[step.nth] ?? 0);
          } else if (step.kind === 'abort') aborts[step.nth]?.abort();
          else if (step.kind === 'link') proposals.linkLost(step.nth % 2 === 0 ? leader : another);
          else if (step.kind === 'snapshot') proposals.overtaken(proposals.sent);
          else if (step.kind === 'term') {
            term += 1;
            proposals.termApplied(term);
          } else world.pass(step.nth * 100);
        }
        // All give up, and nothing that they sent is on its way for longer than an election timeout.
        world.pass(5_100);
        world.pass(1_000);
        expect(proposals.pending).toBe(0);
        for (const to of [leader, another]) {
          for (const bytes of [whole - 1, 1, 1]) world.open(bytes);
          expect([world.take(to, term), world.take(to, term)]).toEqual([[whole - 1, 1], []]);
          proposals.linkLost(to);
          world.pass(60_000);
          world.pass(1_000);
        }
      }),
      { numRuns: 300 },
    );
  });
});
