// Goal: with sessions a proposal is executed at most once however often it is sent, one that was told
// `rejected` never is, and one that was told a value has exactly that one. Method: random interleavings
// of callers, time, a leader that takes, refuses, loses or delays batches, links that fall, terms, and
// snapshots, over a log whose machine keeps sessions by the plainest rules.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isKontikiError, kontikiError } from '../../src/base/errors.js';
import { limits } from '../../src/base/limits.js';
import { sessionIdEnd } from '../../src/base/session-id.js';
import { Proposals } from '../../src/node/proposals.js';

const sweepMs = 100;
const name = sessionIdEnd + 5;
const leader = 7;

interface Sent {
  readonly id: number;
  readonly term: number;
  readonly texts: readonly string[];
}

type Entry = { readonly term: number; readonly text?: string };

const kind = <K extends string>(it: K) => fc.constant(it);
const nth = fc.nat(3);
const steps = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: kind('open'), timeoutMs: fc.integer({ min: 1, max: 4_000 }) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: kind('take'), forwards: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('append'), nth }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('lose'), nth }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: kind('refuse'),
      nth,
      code: fc.constantFrom('LEADER_CHANGED' as const, 'OVERLOADED' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: kind('link') }) },
  { weight: 4, arbitrary: fc.record({ kind: kind('apply') }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('lead') }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('evict') }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('snapshot') }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('pass'), ms: fc.constantFrom(1, 100, 1_000) }) },
);
type Step = typeof steps extends fc.Arbitrary<infer T> ? T : never;

/** What every member makes of the log: requests by session, and who did what, in order. */
class Machine {
  readonly sessions = new Map<number, { floor: number; readonly answers: Map<number, string> }>();
  readonly executed: string[] = [];
  index = 0;

  apply(text: string | undefined): { session: number; seq: number; value: unknown } | undefined {
    this.index += 1;
    if (text === undefined) return undefined;
    const [session = 0, seq = 0, doneBelow = 0] = text.split(' ').map(Number);
    const what = text.split(' ')[3] as string;
    if (what === 'open') {
      this.sessions.set(this.index, { floor: 0, answers: new Map() });
      return { session, seq, value: this.index };
    }
    const own = this.sessions.get(session);
    if (own === undefined || seq < own.floor) {
      const value = kontikiError('SESSION_EXPIRED', 'gone', { outcome: 'unknown' });
      return { session, seq, value };
    }
    own.floor = Math.max(own.floor, doneBelow);
    const kept = own.answers.get(seq);
    if (kept !== undefined) return { session, seq, value: kept };
    this.executed.push(what);
    own.answers.set(seq, `did ${what}`);
    return { session, seq, value: `did ${what}` };
  }
}

class World {
  nowMs = 0;
  term = 1;
  readonly machine = new Machine();
  readonly told: { readonly what: string; readonly ends: string[] }[] = [];
  #inFlight: Sent[] = [];
  #log: Entry[] = [];
  #lastTerm = 1;
  readonly #proposals = new Proposals({
    clock: { monotonicMs: () => this.nowMs, wallMs: () => 0 },
    session: name,
    sweepMs,
    resendMs: 500,
    sessions: {
      open: ({ session, seq }) => textOf(`${session} ${seq} 0 open`),
      idOf: (value) => value as number,
    },
  });

  step(step: Step): void {
    switch (step.kind) {
      case 'open':
        return this.#open(step.timeoutMs);
      case 'take':
        return this.take(step.forwards);
      case 'append':
        return this.append(step.nth);
      case 'lose':
        this.#inFlight.splice(step.nth, 1);
        return;
      case 'refuse': {
        const [batch] = this.#inFlight.splice(step.nth, 1);
        const error = kontikiError(step.code, 'no', { outcome: 'rejected' });
        if (batch !== undefined) this.#proposals.refuse(batch.id, error);
        return;
      }
      case 'link':
        return this.#proposals.linkLost(leader);
      case 'apply':
        return this.apply();
      case 'lead':
        this.term += 1;
        this.#lastTerm = this.term;
        this.#log.push({ term: this.term });
        return;
      case 'evict':
        this.machine.sessions.delete([...this.machine.sessions.keys()][0] ?? 0);
        return;
      case 'snapshot':
        return this.#snapshot();
      case 'pass':
        this.nowMs += step.ms;
        return this.#proposals.sweep();
    }
  }

  #open(timeoutMs: number): void {
    const what = `w${this.told.length}`;
    const ends: string[] = [];
    this.told.push({ what, ends });
    const encode = ({
      session,
      seq,
      doneBelow,
    }: {
      session: number;
      seq: number;
      doneBelow: number;
    }) => textOf(`${session} ${seq} ${doneBelow} ${what}`);
    this.#proposals.open(encode, { timeoutMs }).then(
      (value) => ends.push(`value ${value}`),
      (error: unknown) => ends.push(isKontikiError(error) ? `${error.outcome}` : String(error)),
    );
  }

  take(forwards: boolean): void {
    const { id, commands } = this.#proposals.take(this.term, 60, forwards ? leader : 0);
    const texts = commands.map((bytes) => new TextDecoder().decode(bytes));
    if (texts.length === 0) return;
    // What this member's own core takes is in its log at once.
    if (forwards) this.#inFlight.push({ id, term: this.term, texts });
    else for (const text of texts) this.#log.push({ term: this.term, text });
  }

  append(at: number): void {
    this.#inFlight = this.#inFlight.filter((batch) => batch.term >= this.#lastTerm);
    const [batch] = this.#inFlight.splice(at, 1);
    if (batch === undefined) return;
    for (const text of batch.texts) this.#log.push({ term: batch.term, text });
  }

  apply(): void {
    const entry = this.#log.shift();
    if (entry === undefined) return;
    this.#proposals.termApplied(entry.term);
    const result = this.machine.apply(entry.text);
    if (result === undefined) return;
    const { session, seq, value } = result;
    this.#proposals.applied({ requestId: { session, seq }, value });
  }

  /** Everything in the log is applied elsewhere; this member gets the state behind it. */
  #snapshot(): void {
    const { sent } = this.#proposals;
    let last = 0;
    for (const { term, text } of this.#log) {
      this.machine.apply(text);
      last = term;
    }
    this.#log = [];
    this.#proposals.overtaken(sent);
    this.#proposals.termApplied(last);
  }

  close(): void {
    this.#proposals.close(kontikiError('CLOSED', 'closed'));
  }

  /** The worst case for what was called rejected. */
  applyEverything(): void {
    for (let left = this.#inFlight.length; left > 0; left -= 1) this.append(0);
    while (this.#log.length > 0) this.apply();
  }

  check(): void {
    const { executed } = this.machine;
    expect(new Set(executed).size, 'executed twice').toBe(executed.length);
    for (const { what, ends } of this.told) {
      expect(ends.length).toBeLessThanOrEqual(1);
      const [end] = ends;
      if (end?.startsWith('value')) {
        expect(end).toBe(`value did ${what}`);
        expect(executed).toContain(what);
      }
      if (end === 'rejected') expect(executed).not.toContain(what);
    }
  }
}

function textOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await Promise.resolve();
}

/** Takes, appends and applies until nothing is left to do. */
async function calm(world: World): Promise<void> {
  for (let round = 0; round < 8; round += 1) {
    world.take(true);
    world.append(0);
    world.append(0);
    for (let entries = 0; entries < 30; entries += 1) world.apply();
    await settle();
  }
}

const depth = Number(process.env.KONTIKI_DEPTH ?? 1);

/** Proposals whose every answer the test gives; what opens a session has nine bytes. */
function withoutWorld(): Proposals {
  return new Proposals({
    clock: { monotonicMs: () => 0, wallMs: () => 0 },
    ...{ session: name, sweepMs, resendMs: 1_000 },
    sessions: { open: () => new Uint8Array(9), idOf: (value) => value as number },
  });
}

describe('proposals with sessions', () => {
  test(
    'any interleaving -> executed at most once, rejected never, answered by its own execution',
    async () => {
      let values = 0;
      let unknown = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(steps, { minLength: 20, maxLength: 120, size: 'max' }),
          async (sequence) => {
            const world = new World();
            for (const step of sequence) {
              world.step(step);
              await settle();
            }
            world.check();
            world.close();
            await settle();
            world.applyEverything();
            world.check();
            for (const { ends } of world.told) {
              expect(ends).toHaveLength(1);
              if (ends[0]?.startsWith('value')) values += 1;
              if (ends[0] === 'unknown') unknown += 1;
            }
          },
        ),
        { numRuns: 400 * depth },
      );
      expect(values).toBeGreaterThan(300 * depth);
      expect(unknown).toBeGreaterThan(30 * depth);
    },
    60_000 * depth,
  );

  test.each([
    ['lost without a word', (world: World) => world.step({ kind: 'lose', nth: 0 }), 3],
    [
      'lost with its link',
      (world: World) => [world.step({ kind: 'lose', nth: 0 }), world.step({ kind: 'link' })],
      0,
    ],
    [
      'refused by who does not lead',
      (world: World) => world.step({ kind: 'refuse', nth: 0, code: 'LEADER_CHANGED' }),
      0,
    ],
    [
      'sent to a leader that is replaced',
      (world: World) => [
        world.step({ kind: 'lose', nth: 0 }),
        world.step({ kind: 'lead' }),
        world.apply(),
      ],
      0,
    ],
  ])('a write %s -> sent again, and answered', async (_, loseIt, waits) => {
    const world = new World();
    world.step({ kind: 'open', timeoutMs: 60_000 });
    await calm(world);
    world.step({ kind: 'open', timeoutMs: 60_000 });
    world.take(true);
    loseIt(world);
    for (let wait = 0; wait < waits; wait += 1) world.step({ kind: 'pass', ms: 1_000 });
    await calm(world);
    expect(world.told[1]?.ends).toEqual(['value did w1']);
    expect(world.machine.executed).toEqual(['w0', 'w1']);
  });

  test('a write that was taken, with its answer lost in a snapshot -> the kept answer', async () => {
    const world = new World();
    world.step({ kind: 'open', timeoutMs: 60_000 });
    await calm(world);
    world.step({ kind: 'open', timeoutMs: 60_000 });
    world.take(true);
    world.append(0);
    world.step({ kind: 'snapshot' });
    expect(world.machine.executed).toEqual(['w0', 'w1']);
    await calm(world);
    expect(world.told[1]?.ends).toEqual(['value did w1']);
    expect(world.machine.executed).toEqual(['w0', 'w1']);
  });

  test('an evicted session: what was not taken goes under a new one; what a snapshot may hold: unknown', async () => {
    const world = new World();
    world.step({ kind: 'open', timeoutMs: 60_000 });
    await calm(world);
    world.step({ kind: 'evict' });
    world.step({ kind: 'open', timeoutMs: 60_000 });
    await calm(world);
    expect(world.told[1]?.ends).toEqual(['value did w1']);
    world.step({ kind: 'open', timeoutMs: 60_000 });
    world.take(true);
    world.step({ kind: 'lose', nth: 0 });
    world.step({ kind: 'snapshot' });
    world.step({ kind: 'evict' });
    await calm(world);
    expect(world.told[2]?.ends).toEqual(['unknown']);
    expect(world.machine.executed).toEqual(['w0', 'w1']);
  });

  test('the first writes wait for one session, all of them together; later ones for none', async () => {
    const world = new World();
    for (let call = 0; call < 3; call += 1) world.step({ kind: 'open', timeoutMs: 60_000 });
    world.take(true);
    world.append(0);
    world.apply();
    expect(world.machine.sessions.size).toBe(1);
    world.take(true);
    world.append(0);
    for (let entries = 0; entries < 3; entries += 1) world.apply();
    await settle();
    expect(world.told.map(({ ends }) => ends)).toEqual([
      ['value did w0'],
      ['value did w1'],
      ['value did w2'],
    ]);
    expect(world.machine.index).toBe(4);
  });

  test('what waits fills its room to the last byte before there is a session -> one is opened', () => {
    const proposals = withoutWorld();
    const open = (bytes: number) =>
      void proposals.open(() => new Uint8Array(bytes), { timeoutMs: 1_000 });
    open(limits.queuedBytesMax - 5);
    open(5);
    expect(() => open(1)).toThrow(expect.objectContaining({ code: 'OVERLOADED' }));
    const { commands } = proposals.take(1, 1_000);
    expect(commands.map(({ length }) => length)).toEqual([9]);
    proposals.applied({ requestId: { session: name, seq: 3 }, value: 1 });
    expect(proposals.take(1, Infinity).commands).toHaveLength(2);
  });

  test('an evicted session, more writes waiting than may be under way -> one is opened at once', () => {
    const proposals = withoutWorld();
    const open = () => void proposals.open(() => new Uint8Array(1), { timeoutMs: 1_000 });
    const take = () => proposals.take(1, Infinity).commands.map(({ length }) => length);
    open();
    expect(take()).toEqual([9]);
    proposals.applied({ requestId: { session: name, seq: 2 }, value: 1 });
    for (let call = 0; call < limits.sessionAnswersMax; call += 1) open();
    expect([...take(), ...take()]).toHaveLength(limits.sessionAnswersMax - 1);
    const value = kontikiError('SESSION_EXPIRED', 'gone', { outcome: 'unknown' });
    for (let seq = 1; seq <= limits.sessionAnswersMax; seq += 1) {
      if (seq !== 2) proposals.applied({ requestId: { session: 1, seq }, value });
    }
    expect(take()).toEqual([]);
    expect(take()).toEqual([9]);
  });

  test('more writes than may be under way, sent again -> none waits behind one that waits for it', () => {
    const proposals = withoutWorld();
    const encode = ({ seq }: { seq: number }) => textOf(`write ${seq}`);
    const most = limits.sessionAnswersMax;
    for (let call = 0; call < most + 100; call += 1) {
      proposals.open(encode, { timeoutMs: 1_000 }).catch(() => undefined);
    }
    const take = () => {
      const { commands } = proposals.take(1, Infinity, leader);
      return commands.map((bytes) => new TextDecoder().decode(bytes));
    };
    const lowest = Array.from({ length: most }, (_, nth) => `write ${nth + 1}`);
    expect(take()).toHaveLength(1);
    proposals.applied({ requestId: { session: name, seq: most + 101 }, value: 1 });
    expect(take()).toEqual(lowest);
    proposals.linkLost(leader);
    expect(take()).toEqual(lowest);
    // Also when another session is wanted first.
    const value = kontikiError('SESSION_EXPIRED', 'gone', { outcome: 'unknown' });
    for (let seq = most; seq > 0; seq -= 1) {
      proposals.applied({ requestId: { session: 1, seq }, value });
    }
    expect([take(), take().length]).toEqual([[], 1]);
    proposals.applied({ requestId: { session: name, seq: most + 102 }, value: 2 });
    expect(take()).toEqual(lowest);
    proposals.close(value);
  });

  test('writes that were never sent, behind others that came back -> none waits for the other', () => {
    const proposals = withoutWorld();
    const open = () => {
      proposals
        .open(({ seq }) => new Uint8Array(seq % 7), { timeoutMs: 1_000 })
        .catch(() => undefined);
    };
    const take = () => proposals.take(1, Infinity, leader).commands.length;
    const expire = (seq: number) => {
      const value = kontikiError('SESSION_EXPIRED', 'gone', { outcome: 'unknown' });
      proposals.applied({ requestId: { session: 1, seq }, value });
    };
    open();
    expect(take()).toBe(1);
    proposals.applied({ requestId: { session: name, seq: 2 }, value: 1 });
    expect(take()).toBe(1);
    // Number 3 waits in the queue while the session goes; all later ones wait for another.
    open();
    expire(1);
    for (let call = 0; call < limits.sessionAnswersMax; call += 1) open();
    const opening = limits.sessionAnswersMax + 4;
    expect([take(), take()]).toContain(1);
    proposals.applied({ requestId: { session: name, seq: opening }, value: 2 });
    expect(take()).toBe(limits.sessionAnswersMax - 1);
    expect(proposals.pending).toBe(limits.sessionAnswersMax + 2);
    proposals.close(kontikiError('CLOSED', 'closed'));
  });

  test.each(['NO_SPACE', 'OVERLOADED'] as const)(
    'a leader that answers %s to what opens a session -> whoever needs it is told so',
    async (code) => {
      const proposals = withoutWorld();
      const told = proposals.open(() => new Uint8Array(1), { timeoutMs: 1_000 });
      const { id } = proposals.take(1, Infinity, leader);
      proposals.refuse(id, kontikiError(code, 'no', { outcome: 'rejected' }));
      await expect(told).rejects.toMatchObject({ code, outcome: 'rejected' });
      expect(proposals.pending).toBe(0);
    },
  );

  test('a write that was sent often, and a new one -> the new one does not wait as long for its next copy', () => {
    let nowMs = 0;
    const proposals = new Proposals({
      clock: { monotonicMs: () => nowMs, wallMs: () => 0 },
      ...{ session: name, sweepMs, resendMs: 1_000 },
      sessions: { open: () => textOf('open'), idOf: (value) => value as number },
    });
    const open = (text: string) =>
      void proposals.open(() => textOf(text), { timeoutMs: 60_000 }).catch(() => undefined);
    const take = () => {
      const { id, commands } = proposals.take(1, Infinity, leader);
      return { id, texts: commands.map((bytes) => new TextDecoder().decode(bytes)) };
    };
    open('old');
    take();
    proposals.applied({ requestId: { session: name, seq: 2 }, value: 1 });
    const refusal = kontikiError('LEADER_CHANGED', 'no', { outcome: 'rejected' });
    for (let copy = 1; copy <= 5; copy += 1) proposals.refuse(take().id, refusal);
    open('new');
    expect([take().texts, take().texts]).toEqual([['old'], ['new']]);
    nowMs = 1_500;
    proposals.sweep();
    expect(take().texts).toEqual(['new']);
    proposals.close(refusal);
  });

  // A member that joined had its link to the leader renewed in the same moment, and wrote nothing for 5 s.
  test.each(['the link falls', 'there is no answer'])(
    'a session was asked for and %s -> another one is, and what waits is written',
    async (what) => {
      const world = new World();
      world.step({ kind: 'open', timeoutMs: 2_000 });
      world.take(true);
      world.step({ kind: 'lose', nth: 0 });
      if (what === 'the link falls') world.step({ kind: 'link' });
      else world.step({ kind: 'pass', ms: 1_000 });
      world.take(true);
      world.append(0);
      world.apply();
      expect(world.machine.sessions.size).toBe(1);
      await calm(world);
      expect(world.told[0]?.ends).toEqual(['value did w0']);
    },
  );

  test('answers take longer than until a session is asked for again -> the first one is taken', async () => {
    const world = new World();
    world.step({ kind: 'open', timeoutMs: 5_000 });
    world.take(true);
    for (let copies = 1; copies <= 2; copies += 1) {
      world.step({ kind: 'pass', ms: 1_000 });
      world.take(true);
    }
    world.append(0);
    world.apply();
    world.take(true);
    world.append(2); // behind two more copies
    world.apply();
    await settle();
    expect(world.told[0]?.ends).toEqual(['value did w0']);
    expect(world.machine.sessions.size).toBe(1);
  });

  test('several batches lost at once -> sent again in the order they came in', () => {
    const proposals = withoutWorld();
    const open = (bytes: number) =>
      void proposals.open(() => new Uint8Array(bytes), { timeoutMs: 1_000 });
    const take = () => proposals.take(1, Infinity, leader).commands.map(({ length }) => length);
    open(1);
    expect(take()).toEqual([9]);
    proposals.applied({ requestId: { session: name, seq: 2 }, value: 1 });
    expect(take()).toEqual([1]);
    for (const bytes of [2, 3]) {
      open(bytes);
      expect(take()).toEqual([bytes]);
    }
    open(4);
    proposals.linkLost(leader);
    expect([...take(), ...take()]).toEqual([1, 2, 3, 4]);
  });
});
