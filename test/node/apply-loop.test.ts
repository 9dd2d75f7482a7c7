// The state machine here finishes a batch when the test says so.
import { describe, expect, test } from 'vitest';
import { Deferred } from '../../src/base/deferred.js';
import { ApplyLoop } from '../../src/node/apply-loop.js';
import type { ApplyResult, StateMachine } from '../../src/node/state-machine.js';
import type { StorageApply } from '../../src/raft/ready.js';
import type { Entry } from '../../src/raft/types.js';

class SlowMachine implements StateMachine {
  readonly durableIndex = 0;
  readonly calls: number[][] = [];
  running = 0;
  #open: Deferred<readonly ApplyResult[]> | undefined;

  async open() {
    return { appliedIndex: 0 };
  }

  async apply(entries: readonly Entry[]): Promise<readonly ApplyResult[]> {
    this.running += 1;
    expect(this.running).toBe(1);
    this.calls.push(entries.map((entry) => entry.index));
    this.#open = new Deferred();
    try {
      return await this.#open.promise;
    } finally {
      this.running -= 1;
    }
  }

  async finish(results?: readonly ApplyResult[]): Promise<void> {
    await settle();
    const indexes = this.calls.at(-1) ?? [];
    this.#open?.resolve(results ?? indexes.map((value) => ({ value })));
    await settle();
  }

  async break(error: unknown): Promise<void> {
    await settle();
    this.#open?.reject(error);
    await settle();
  }

  async flush() {}

  async close() {}
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

function batch(...indexes: number[]): StorageApply {
  const entries = indexes.map((index): Entry => {
    return { term: 1, index, type: 'normal', data: new Uint8Array(0) };
  });
  const index = indexes.at(-1) ?? 0;
  const sizes = { payloadBytes: 0, encodedBytes: 0 };
  const kind = 'storage-apply-response';
  return { entries, response: { kind, from: 1, to: 1, term: 0, index, ...sizes } };
}

function loop(machine: StateMachine = new SlowMachine()) {
  const applied: unknown[] = [];
  const failures: unknown[] = [];
  const apply = new ApplyLoop(machine, {
    onApplied: (of, results) => applied.push([of.response.index, results.map((r) => r.value)]),
    onFailed: (error) => failures.push(error),
  });
  return { machine: machine as SlowMachine, apply, applied, failures };
}

describe('apply loop', () => {
  test('batches: one at a time, in order, each reported with its results', async () => {
    const { machine, apply, applied } = loop();
    apply.push(batch(1, 2));
    apply.push(batch(3));
    await settle();
    expect(machine.calls).toEqual([[1, 2]]);
    await machine.finish();
    expect(machine.calls).toEqual([[1, 2], [3]]);
    expect(applied).toEqual([[2, [1, 2]]]);
    await machine.finish();
    expect(applied).toEqual([
      [2, [1, 2]],
      [3, [3]],
    ]);
  });

  test('a batch comes -> begun when who brought it is done, and behind a write it began before', async () => {
    const { machine, apply } = loop();
    const order: string[] = [];
    machine.apply = async () => {
      order.push('apply');
      return [];
    };
    // As the log begins with a group.
    void Promise.resolve().then(() => order.push('write'));
    apply.push(batch());
    order.push('send');
    await settle();
    expect(order).toEqual(['send', 'write', 'apply']);
  });

  test('a batch that comes when all are done: applied too', async () => {
    const { machine, apply, applied } = loop();
    apply.push(batch(1));
    await machine.finish();
    apply.push(batch(2));
    await machine.finish();
    expect(applied).toHaveLength(2);
  });

  test('a batch pushed from the report of another: applied after it', async () => {
    const machine = new SlowMachine();
    const apply: ApplyLoop = new ApplyLoop(machine, {
      onApplied: ({ response }) => {
        if (response.index < 3) apply.push(batch(response.index + 1));
      },
      onFailed: (error) => expect.unreachable(String(error)),
    });
    apply.push(batch(1));
    for (let round = 0; round < 4; round += 1) await machine.finish();
    expect(machine.calls).toEqual([[1], [2], [3]]);
  });

  test('the state machine fails: told once, nothing further is applied', async () => {
    const { machine, apply, applied, failures } = loop();
    apply.push(batch(1));
    apply.push(batch(2));
    await machine.break('state');
    apply.push(batch(3));
    await settle();
    expect([machine.calls, applied, failures]).toEqual([[[1]], [], ['state']]);
    await apply.stop();
  });

  test('the state machine throws before its first await: the same', async () => {
    const machine = new SlowMachine();
    machine.apply = () => {
      throw new Error('at once');
    };
    const { apply, failures } = loop(machine);
    apply.push(batch(1));
    apply.push(batch(2));
    await settle();
    expect(failures).toEqual([expect.objectContaining({ message: 'at once' })]);
    await apply.stop();
  });

  test('fewer results than entries: a failure, not a waiter left waiting', async () => {
    const { machine, apply, failures } = loop();
    apply.push(batch(1, 2));
    await machine.finish([{ value: 1 }]);
    expect(failures).toEqual([expect.objectContaining({ code: 'ASSERTION' })]);
  });

  test('stop: the batch under way is finished and reported, no other begun', async () => {
    const { machine, apply, applied } = loop();
    apply.push(batch(1));
    apply.push(batch(2));
    await settle();
    let stopped = false;
    const stopping = apply.stop().then(() => {
      stopped = true;
    });
    await settle();
    expect(stopped).toBe(false);
    await machine.finish();
    await stopping;
    apply.push(batch(3));
    await settle();
    expect([machine.calls, applied]).toEqual([[[1]], [[1, [1]]]]);
  });
});

describe('something that the state machine must not be changed under', () => {
  function world() {
    const machine = new SlowMachine();
    const applied: number[] = [];
    const loop = new ApplyLoop(machine, {
      onApplied: ({ response }) => applied.push(response.index),
      onFailed: () => undefined,
    });
    return { applied, loop, machine };
  }

  test('a task between batches -> after those before, before those behind, with none beside it', async () => {
    const { applied, loop, machine } = world();
    loop.push(batch(1));
    const open = new Deferred<string>();
    const task = loop.exclusive(async () => {
      applied.push(-1);
      return open.promise;
    });
    loop.push(batch(2));
    await settle();
    expect(applied).toEqual([]);
    await machine.finish();
    expect(applied).toEqual([1, -1]);
    expect(machine.calls).toEqual([[1]]);
    open.resolve('done');
    expect(await task).toBe('done');
    await settle();
    expect(machine.calls).toEqual([[1], [2]]);
    await machine.finish();
    expect(applied).toEqual([1, -1, 2]);
  });

  test('a task that throws -> its caller hears of it, the loop goes on', async () => {
    const { applied, loop, machine } = world();
    const failed = loop.exclusive(() => Promise.reject(new Error('no')));
    await expect(failed).rejects.toThrow('no');
    loop.push(batch(1));
    await settle();
    await machine.finish();
    expect(applied).toEqual([1]);
  });

  test('the loop stops, or failed -> tasks not begun are CLOSED', async () => {
    const stopped = world();
    stopped.loop.push(batch(1));
    const waiting = stopped.loop.exclusive(async () => 'never');
    await settle();
    const stop = stopped.loop.stop();
    await stopped.machine.finish();
    await stop;
    await expect(waiting).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(stopped.loop.exclusive(async () => 1)).rejects.toMatchObject({ code: 'CLOSED' });
    const broken = world();
    broken.loop.push(batch(1));
    const behind = broken.loop.exclusive(async () => 'never');
    behind.catch(() => undefined);
    await broken.machine.break(new Error('no'));
    await expect(behind).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
