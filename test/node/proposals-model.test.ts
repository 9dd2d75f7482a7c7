// Goal: every promise settles exactly once, with the outcome the documents promise; above all,
// nothing that was called `rejected` is applied later. Method: random interleavings of callers, time,
// a leader that takes, refuses or loses batches, and a log in which terms never fall.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isKontikiError, kontikiError } from '../../src/base/errors.js';
import { Proposals } from '../../src/node/proposals.js';

const session = 5;
const sweepMs = 100;
const reason = new Error('aborted by its caller');

interface Call {
  readonly seq: number;
  readonly bytes: number;
  readonly dueMs: number;
  readonly abort: AbortController | undefined;
  /** 0 while queued. */
  term: number;
  /** What the documents promise, once they do. */
  expected: string | undefined;
  /** What the caller was told, each time. */
  readonly told: string[];
}

interface Batch {
  readonly id: number;
  readonly term: number;
  readonly seqs: readonly number[];
}

const steps = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('open' as const),
      bytes: fc.integer({ min: 1, max: 5 }),
      timeoutMs: fc.integer({ min: 1, max: 900 }),
      abortable: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('abort' as const), nth: fc.nat(9) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('take' as const),
      bytesMax: fc.integer({ min: 1, max: 9 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('append' as const), nth: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('refuse' as const), nth: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('apply' as const), fails: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'raise' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'lead' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      ms: fc.integer({ min: 1, max: 300 }),
    }),
  },
);

type Step = typeof steps extends fc.Arbitrary<infer T> ? T : never;

class World {
  nowMs = 0;
  /** Term this member knows of. */
  term = 1;
  readonly calls: Call[] = [];
  /** Sent, and neither appended, refused nor impossible by now. */
  #inFlight: Batch[] = [];
  /** Committed, from the first entry not applied yet; terms never fall. */
  readonly #log: { readonly term: number; readonly seq: number | undefined }[] = [];
  #lastTerm = 1;
  readonly applied = new Set<number>();
  readonly #proposals = new Proposals({
    clock: { monotonicMs: () => this.nowMs, wallMs: () => 0 },
    session,
    sweepMs,
    resendMs: 1_000,
  });

  step(step: Step): void {
    switch (step.kind) {
      case 'open':
        return this.#open(step.bytes, step.timeoutMs, step.abortable);
      case 'abort':
        return this.#abort(this.calls.filter((call) => call.abort !== undefined)[step.nth]);
      case 'take':
        return this.#take(step.bytesMax);
      case 'append':
        return this.append(step.nth);
      case 'refuse':
        return this.#refuse(step.nth);
      case 'apply':
        return this.apply(step.fails);
      case 'raise':
        this.term += 1;
        return;
      case 'lead':
        // The leader of the newest term opens it: no batch of an older one can come after.
        this.#lastTerm = this.term;
        this.#log.push({ term: this.term, seq: undefined });
        return;
      case 'pass':
        return this.#pass(step.ms);
    }
  }

  #open(bytes: number, timeoutMs: number, abortable: boolean): void {
    const seq = this.calls.length + 1;
    const abort = abortable ? new AbortController() : undefined;
    const deadlineMs = this.nowMs + timeoutMs;
    const firstMs = (Math.floor(this.nowMs / sweepMs) + 1) * sweepMs;
    const dueMs = Math.max(firstMs, Math.ceil(deadlineMs / sweepMs) * sweepMs);
    const told: string[] = [];
    const open = this.calls.find((call) => call.expected === undefined);
    const promise = this.#proposals.open(
      (id) => {
        expect(id).toEqual({ session, seq, doneBelow: open?.seq ?? seq });
        return new Uint8Array(bytes);
      },
      { timeoutMs, signal: abort?.signal },
    );
    this.calls.push({ seq, bytes, dueMs, abort, term: 0, expected: undefined, told });
    promise.then(
      (value) => told.push(`value ${value}`),
      (error: unknown) => told.push(nameOf(error)),
    );
  }

  #abort(call: Call | undefined): void {
    call?.abort?.abort(reason);
    if (call !== undefined) expectEnd(call, call.term === 0 ? 'reason' : 'ABORTED unknown');
  }

  #take(bytesMax: number): void {
    const taken: Call[] = [];
    let bytes = 0;
    for (const call of this.calls) {
      if (call.expected !== undefined || call.term !== 0) continue;
      bytes += call.bytes;
      if (taken.length > 0 && bytes > bytesMax) break;
      taken.push(call);
    }
    expect(this.#proposals.hasQueued).toBe(taken.length > 0);
    const { id, commands } = this.#proposals.take(this.term, bytesMax);
    expect(commands.map((command) => command.length)).toEqual(taken.map((call) => call.bytes));
    for (const call of taken) call.term = this.term;
    if (taken.length === 0) return;
    this.#inFlight.push({ id, term: this.term, seqs: taken.map((call) => call.seq) });
  }

  append(nth: number): void {
    this.#inFlight = this.#inFlight.filter((batch) => batch.term >= this.#lastTerm);
    const [batch] = this.#inFlight.splice(nth, 1);
    if (batch === undefined) return;
    this.#lastTerm = batch.term;
    for (const seq of batch.seqs) this.#log.push({ term: batch.term, seq });
  }

  #refuse(nth: number): void {
    const [batch] = this.#inFlight.splice(nth, 1);
    if (batch === undefined) return;
    this.#proposals.refuse(batch.id, kontikiError('OVERLOADED', 'too many'));
    for (const seq of batch.seqs) expectEnd(this.#call(seq), 'OVERLOADED rejected');
  }

  apply(fails: boolean): void {
    const entry = this.#log.shift();
    if (entry === undefined) return;
    const { term, seq } = entry;
    this.#proposals.termApplied(term);
    for (const call of this.calls) {
      if (call.term !== 0 && call.term < term) expectEnd(call, 'LEADER_CHANGED rejected');
    }
    if (seq === undefined) {
      this.#proposals.applied({ value: undefined });
      return;
    }
    const value = fails ? kontikiError('DUPLICATE_KEY', 'twice') : seq;
    // A result that is an error changed nothing, so calling it rejected stays true.
    if (!fails) this.applied.add(seq);
    this.#proposals.applied({ requestId: { session, seq }, value });
    expectEnd(this.#call(seq), fails ? 'DUPLICATE_KEY rejected' : `value ${seq}`);
  }

  #pass(ms: number): void {
    this.nowMs += ms;
    this.#proposals.sweep();
    for (const call of this.calls) {
      if (call.dueMs > this.nowMs) continue;
      expectEnd(call, call.term === 0 ? 'NO_LEADER rejected' : 'TIMEOUT unknown');
    }
  }

  close(): void {
    this.#proposals.close(kontikiError('CLOSED', 'closed'));
    for (const call of this.calls) {
      expectEnd(call, call.term === 0 ? 'CLOSED rejected' : 'CLOSED unknown');
    }
  }

  /** Whatever can still be applied, is: the worst case for what was called rejected. */
  applyEverything(): void {
    for (let left = this.#inFlight.length; left > 0; left -= 1) this.append(0);
    while (this.#log.length > 0) this.apply(false);
  }

  check(): void {
    const open = this.calls.filter((call) => call.expected === undefined);
    expect(this.#proposals.pending).toBe(open.length);
    for (const { expected, told } of this.calls) {
      expect(told).toEqual(expected === undefined ? [] : [expected]);
    }
  }

  #call(seq: number): Call {
    return this.calls[seq - 1] as Call;
  }
}

/** The first end counts; later ones meet a call that is settled. */
function expectEnd(call: Call, end: string): void {
  call.expected ??= end;
}

function nameOf(error: unknown): string {
  if (error === reason) return 'reason';
  return isKontikiError(error) ? `${error.code} ${error.outcome}` : String(error);
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
}

describe('proposals against the model', () => {
  test.each([
    ['closed at the end', true],
    ['closed after everything was applied', false],
  ])('any interleaving, %s: one lawful end each', async (_, closesFirst) => {
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { maxLength: 60 }), async (sequence) => {
        const world = new World();
        for (const step of sequence) {
          world.step(step);
          await settle();
          world.check();
        }
        if (closesFirst) world.close();
        world.applyEverything();
        if (!closesFirst) world.close();
        await settle();
        world.check();
        for (const { seq, told } of world.calls) {
          expect(told).toHaveLength(1);
          const isRejected = told[0] === 'reason' || told[0]?.endsWith('rejected');
          if (isRejected) expect(world.applied).not.toContain(seq);
        }
      }),
      { numRuns: 300 },
    );
  });
});
