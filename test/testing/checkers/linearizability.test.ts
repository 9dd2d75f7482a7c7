// Goal: the search gives the right verdict, against all orders tried one by one; it gives up by steps
// alone; and it is not bothered by long histories.
import { describe, expect, test } from 'vitest';
import { Prng, type Random, randomInt } from '../../../src/base/prng.js';
import { appendRegisterModel } from '../../../src/testing/checkers/append-register.js';
import { checkLinearizable } from '../../../src/testing/checkers/linearizability.js';
import type { Model } from '../../../src/testing/checkers/model.js';
import type { History, Operation } from '../../../src/testing/checkers/operation.js';
import { type RegisterInput, registerModel } from '../../../src/testing/checkers/register.js';

const depth = Math.max(1, Math.floor(Number(process.env.KONTIKI_DEPTH ?? 1)));

type RegisterOperation = Operation<RegisterInput, { value?: number | null; swapped?: boolean }>;

const write = (value: number): RegisterInput => ({ op: 'write', value });
const read: RegisterInput = { op: 'read' };
let clients = 0;

function call(
  input: RegisterInput,
  [callAt, returnAt]: readonly [number, number],
  output?: RegisterOperation['output'],
): RegisterOperation {
  clients += 1;
  return { client: clients, input, output, callAt, returnAt };
}

const verdictOf = (history: readonly RegisterOperation[]) =>
  checkLinearizable(registerModel(), history).verdict;

/** Every order that the times allow, one after the other. */
function isLinearizableByTrying<S, I, O>(
  model: Model<S, I, O>,
  history: History<I, O>,
  state: S = model.initial(),
): boolean {
  if (history.every(({ returnAt }) => returnAt === Infinity)) return true;
  return history.some((it, at) => {
    const rest = history.filter((_, other) => other !== at);
    if (rest.some(({ returnAt }) => returnAt < it.callAt)) return false;
    const next = model.step(state, it.input, it.output);
    return next.some((to) => isLinearizableByTrying(model, rest, to));
  });
}

function randomHistory(random: Random): RegisterOperation[] {
  return Array.from({ length: 1 + randomInt(random, 6) }, () => {
    const callAt = randomInt(random, 12);
    const isOver = randomInt(random, 5) > 0;
    const returnAt = isOver ? callAt + randomInt(random, 6) : Infinity;
    const value = randomInt(random, 3);
    const kind = randomInt(random, 3);
    if (kind === 0) return call(write(value), [callAt, returnAt]);
    if (kind === 1) {
      return call(
        read,
        [callAt, returnAt],
        isOver ? { value: value === 0 ? null : value } : undefined,
      );
    }
    const input = { op: 'cas', expected: randomInt(random, 3), value } as const;
    const swapped = randomInt(random, 2) === 0;
    return call(input, [callAt, returnAt], isOver ? { swapped } : undefined);
  });
}

describe('search', () => {
  test('a dead end with calls without an answer, longer than what is right -> longest is what is right', () => {
    const history = [
      call(write(1), [0, 10]),
      call(write(2), [0, 10]),
      call(write(3), [0, Infinity]),
      call(write(4), [0, Infinity]),
      call(read, [20, 30], { value: 1 }),
    ];
    const { parts, verdict } = checkLinearizable(registerModel(), history);
    expect(verdict).toBe('ok');
    expect(parts[0]?.longest.map(({ operation }) => operation)).toEqual([1, 0, 4]);
  });

  test(
    'random histories of a register -> the verdict of trying every order',
    () => {
      const counts = { ok: 0, illegal: 0, unknown: 0 };
      for (let seed = 1; seed <= 3_000 * depth; seed += 1) {
        const history = randomHistory(new Prng(seed));
        const expected = isLinearizableByTrying(registerModel(), history) ? 'ok' : 'illegal';
        const verdict = verdictOf(history);
        expect(verdict, `seed ${seed}: ${JSON.stringify(history)}`).toBe(expected);
        counts[verdict] += 1;
      }
      expect(counts.unknown).toBe(0);
      expect(Math.min(counts.ok, counts.illegal)).toBeGreaterThan(500);
    },
    60_000 * depth,
  );

  test('a read after a write of another value -> illegal, and the read is blocked', () => {
    const history = [call(write(1), [0, 1]), call(read, [2, 3], { value: null })];
    const [part] = checkLinearizable(registerModel(), history).parts;
    expect(part).toMatchObject({ verdict: 'illegal', blocked: 1 });
    expect(part?.longest).toEqual([{ operation: 0, state: 1 }]);
  });

  test('equal times -> the operations overlap', () => {
    expect(verdictOf([call(write(1), [0, 1]), call(read, [1, 2], { value: null })])).toBe('ok');
  });

  test('a write without an answer -> it took effect late, or never', () => {
    const lost = call(write(1), [0, Infinity]);
    const sees = (at: number, value: number | null) => call(read, [at, at + 1], { value });
    expect(verdictOf([lost])).toBe('ok');
    expect(verdictOf([lost, sees(2, null), sees(4, 1), sees(6, 1)])).toBe('ok');
    expect(verdictOf([lost, sees(2, 1), sees(4, null)])).toBe('illegal');
    expect(verdictOf([call(write(1), [5, Infinity]), sees(2, 1)])).toBe('illegal');
  });

  test('an object with a choice -> every choice is followed', () => {
    // Adds 1 or 2, and does not say which.
    const model: Model<number, 'add' | 'read', number> = {
      initial: () => 0,
      step: (state, input, output) => {
        if (input === 'add') return [state + 1, state + 2];
        return output === state ? [state] : [];
      },
      describe: (input) => input,
      describeState: String,
    };
    const one = (input: 'add' | 'read', at: number, output?: number) => {
      return { client: 1, input, output, callAt: at, returnAt: at + 1 };
    };
    const adds = [one('add', 0), one('add', 2), one('add', 4)];
    for (const [value, verdict] of [
      [2, 'illegal'],
      [3, 'ok'],
      [5, 'ok'],
      [6, 'ok'],
      [7, 'illegal'],
    ] as const) {
      const history = [...adds, one('read', 6, value)];
      expect(checkLinearizable(model, history).verdict, `${value}`).toBe(verdict);
    }
  });

  test('a key that tells states apart -> states that it does not tell apart are one', () => {
    let steps = 0;
    const model = (key: boolean): Model<{ readonly n: number }, number, undefined> => ({
      initial: () => ({ n: 0 }),
      step: ({ n }, input) => {
        steps += 1;
        return input < 0 ? [] : [{ n: n + input }];
      },
      ...(key ? { key: ({ n }: { readonly n: number }) => n } : {}),
      describe: String,
      describeState: ({ n }) => String(n),
    });
    const history = [...Array.from({ length: 6 }, () => 1), -1].map((input, client) => {
      return { client, input, callAt: 0, returnAt: 10 };
    });
    expect(checkLinearizable(model(true), history).verdict).toBe('illegal');
    const withKey = steps;
    steps = 0;
    expect(checkLinearizable(model(false), history).verdict).toBe('illegal');
    // 2^6 sets of operations against 6! orders of them.
    expect(withKey).toBeLessThan(64 * 7);
    expect(steps).toBeGreaterThan(720);
  });

  test('parts -> each has its verdict, the whole that of the worst', () => {
    const one = (key: string, value: string, at: number) => [
      { client: 1, input: { op: 'put', key, value: 'x' } as const, callAt: at, returnAt: at + 1 },
      {
        client: 1,
        input: { op: 'get', key } as const,
        output: { value },
        callAt: at + 2,
        returnAt: at + 3,
      },
    ];
    const history = [...one('a', 'x', 0), ...one('b', 'y', 10), ...one('c', 'x', 20)];
    const result = checkLinearizable(appendRegisterModel(), history);
    expect(result.verdict).toBe('illegal');
    const found = result.parts.map(({ name, verdict }) => [name, verdict]);
    expect(found).toEqual([
      ['a', 'ok'],
      ['b', 'illegal'],
      ['c', 'ok'],
    ]);
  });

  test('nothing at all -> ok', () => {
    expect(verdictOf([])).toBe('ok');
    expect(checkLinearizable(appendRegisterModel(), []).verdict).toBe('ok');
  });

  test('impossible times -> ARGUMENT_INVALID', () => {
    for (const times of [
      [2, 1],
      [Number.NaN, 1],
      [-Infinity, 1],
      [0, Number.NaN],
    ] as const) {
      const history = [call(write(1), times)];
      expect(() => verdictOf(history)).toThrow(
        expect.objectContaining({ code: 'ARGUMENT_INVALID' }),
      );
    }
    const tooMany = { visitedMax: 2 ** 24 };
    expect(() => checkLinearizable(registerModel(), [], tooMany)).toThrow(/visitedMax/);
  });
});

describe('budget', () => {
  // Writes that all overlap, and a read of a value that nobody wrote: 2^n sets to try.
  const hopeless = [
    ...Array.from({ length: 18 }, (_, value) => call(write(value), [0, 100])),
    call(read, [101, 102], { value: 99 }),
  ];

  test('a search that takes too many steps -> unknown, with what was found so far', () => {
    const [part] = checkLinearizable(registerModel(), hopeless, { stepsMax: 1_000 }).parts;
    expect(part).toMatchObject({ verdict: 'unknown', steps: 1_000, blocked: 18 });
    expect(part?.longest).toHaveLength(18);
  });

  test('a search that remembers too much -> unknown', () => {
    const [part] = checkLinearizable(registerModel(), hopeless, { visitedMax: 500 }).parts;
    expect(part).toMatchObject({ verdict: 'unknown', visited: 500 });
  });

  test('the same history -> the same steps', () => {
    const stepsOf = () => checkLinearizable(registerModel(), hopeless.slice(6)).parts[0]?.steps;
    expect(stepsOf()).toBe(stepsOf());
  });

  test('an unknown part beside an illegal one -> illegal', () => {
    const model = {
      ...registerModel(),
      partition: () =>
        new Map([
          ['a', hopeless],
          ['b', [call(read, [0, 1], { value: 7 })]],
        ]),
    };
    expect(checkLinearizable(model, hopeless, { stepsMax: 500 }).verdict).toBe('illegal');
    const first = { ...model, partition: () => new Map([['a', hopeless]]) };
    expect(checkLinearizable(first, hopeless, { stepsMax: 500 }).verdict).toBe('unknown');
  });
});

describe('long histories', () => {
  /** Five clients whose operations overlap with their neighbours', on one register. */
  function longHistory(length: number, answer: (value: number) => number): RegisterOperation[] {
    let held = 0;
    return Array.from({ length }, (_, at) => {
      const times = [10 * at, 10 * at + 45] as const;
      if (at % 2 === 0) {
        held = at;
        return { ...call(write(at), times), client: at % 5 };
      }
      return {
        ...call(read, times, { value: at === length - 1 ? answer(held) : held }),
        client: at % 5,
      };
    });
  }

  test('20,000 operations that overlap -> ok, and a wrong last read illegal', () => {
    const length = 20_000;
    const right = checkLinearizable(
      registerModel(),
      longHistory(length, (held) => held),
    );
    expect(right.verdict).toBe('ok');
    expect(right.parts[0]?.longest).toHaveLength(length);
    const wrong = checkLinearizable(
      registerModel(),
      longHistory(length, () => -1),
    );
    expect(wrong.verdict).toBe('illegal');
    expect(wrong.parts[0]?.blocked).toBe(length - 1);
  });

  test('the order found -> one that the times and the model allow', () => {
    const history = longHistory(400, (held) => held);
    const model = registerModel();
    const longest = checkLinearizable(model, history).parts[0]!.longest;
    let state = model.initial();
    let latestCall = -1;
    for (const { operation, state: after } of longest) {
      const { input, output, callAt, returnAt } = history[operation]!;
      [state] = model.step(state, input, output) as [typeof state];
      expect(after).toBe(state);
      latestCall = Math.max(latestCall, callAt);
      expect(returnAt).toBeGreaterThanOrEqual(latestCall);
    }
    expect(new Set(longest.map(({ operation }) => operation)).size).toBe(400);
  });
});
