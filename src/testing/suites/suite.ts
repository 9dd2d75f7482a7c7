/**
 * What the conformance suites share: how they are told what to test, and on what. They name no test
 * runner and no assertion library, so that they run wherever the implementation does.
 */
import { assert } from '../../base/assert.js';
import { systemTimers } from '../../base/clock.js';

/** So many steps are turns of the microtask queue; what is not done by then waits for a real medium. */
const turnsMax = 64;

/**
 * The test runner: vitest's, Node's or any other with functions of this shape.
 *
 * @since 0.1.0
 */
export interface TestRunner {
  /** Groups tests; calls `body` at once. */
  describe(name: string, body: () => void): void;
  /** Registers a test; it fails when the promise rejects. */
  test(name: string, body: () => Promise<void>): void;
  /** Reports a test that is left out; default: says nothing. */
  skip?(name: string, reason: string): void;
}

/**
 * A test that an implementation is not held to.
 *
 * @since 0.1.0
 */
export interface SkippedTest {
  /** Its name, exactly. */
  readonly test: string;
  /** Why; not empty. */
  readonly reason: string;
}

/**
 * One medium, empty at first, and the parts opened on it: made anew for each test.
 *
 * @since 0.1.0
 */
export interface SuiteRig<T> {
  /** Opens the part over what the medium holds. Called again only after `close` or `crash`. */
  open(): Promise<T>;
  /**
   * The machine loses power and starts again: what was not synced may be lost, and the part that was
   * open is dead. Without it, the tests about crashes must be skipped with a reason.
   */
  crash?(): Promise<void> | void;
  /**
   * Lets the next effect of the medium happen, or at least time pass; false when nothing is left to
   * happen. Crashes are tried between any two steps. Default: a turn of the
   * microtask queue, and a millisecond once 64 of those have passed.
   */
  step?(): Promise<boolean>;
  /** Waits for a promise of the part; for media on virtual time, which must be driven. */
  settle?<R>(promise: Promise<R>): Promise<R>;
  /** After the test, passed or failed. */
  dispose?(): Promise<void> | void;
}

/**
 * @since 0.1.0
 */
export interface SuiteOptions<T> {
  readonly runner: TestRunner;
  /** What is tested. */
  readonly name: string;
  /**
   * Makes an empty medium.
   *
   * @param seed - decides what a crash leaves, for media that play dice
   */
  readonly factory: (seed: number) => Promise<SuiteRig<T>> | SuiteRig<T>;
  /** Tests to leave out; one that does not exist is an error. */
  readonly skip?: readonly SkippedTest[] | undefined;
  /** Random histories for each test that plays some; default 20. */
  readonly runs?: number | undefined;
}

/**
 * A rig with its defaults filled in, as the tests use it.
 *
 * @since 0.1.0
 */
export class Bench<T> {
  readonly #rig: SuiteRig<T>;
  #steps = 0;

  /** @param rig - owned by the bench */
  constructor(rig: SuiteRig<T>) {
    this.#rig = rig;
  }

  open(): Promise<T> {
    return this.run(this.#rig.open());
  }

  /** The part of the next process, after a power loss. */
  async crash(): Promise<T> {
    assert(this.#rig.crash !== undefined, 'the rig has no crash(): skip this test with a reason');
    await this.#rig.crash();
    return this.open();
  }

  async step(): Promise<boolean> {
    if (this.#rig.step !== undefined) return this.#rig.step();
    this.#steps += 1;
    if (this.#steps <= turnsMax) await Promise.resolve();
    else await new Promise<void>((resolve) => void systemTimers.after(1, resolve));
    return true;
  }

  run<R>(promise: Promise<R>): Promise<R> {
    return this.#rig.settle === undefined ? promise : this.#rig.settle(promise);
  }

  async dispose(): Promise<void> {
    await this.#rig.dispose?.();
  }
}

/** A test of a suite. @since 0.1.0 */
export type SuiteTest<T> = (bench: Bench<T>, seed: number) => Promise<void>;

/** How often a test runs, each time on a medium and with a seed of its own. @since 0.1.0 */
export interface SeededTest<T> {
  readonly body: SuiteTest<T>;
  /** Default 1. */
  readonly runs?: number;
}

/** Runs of a test over random histories. @since 0.1.0 */
export const runsDefault = 20;

/**
 * Registers tests.
 *
 * @param options - what to test
 * @param tests - by name
 * @throws {KontikiError} ASSERTION, when a test that is to be skipped does not exist or has no reason
 * @since 0.1.0
 */
export function registerSuite<T>(
  options: SuiteOptions<T>,
  tests: Readonly<Record<string, SuiteTest<T> | SeededTest<T>>>,
): void {
  const { runner, factory, name: subject, skip = [] } = options;
  for (const { test, reason } of skip) {
    assert(Object.hasOwn(tests, test), `suite of ${subject}: no test is named '${test}'`);
    assert(reason.trim() !== '', `suite of ${subject}: '${test}' is skipped without a reason`);
  }
  runner.describe(subject, () => {
    for (const [name, entry] of Object.entries(tests)) {
      const skipped = skip.find(({ test }) => test === name);
      const { body, runs = 1 } = typeof entry === 'function' ? { body: entry } : entry;
      if (skipped !== undefined) runner.skip?.(name, skipped.reason);
      else runner.test(name, () => runSeeds(factory, body, runs));
    }
  });
}

async function runSeeds<T>(
  factory: SuiteOptions<T>['factory'],
  body: SuiteTest<T>,
  runs: number,
): Promise<void> {
  for (let seed = 1; seed <= runs; seed += 1) {
    const bench = new Bench(await factory(seed));
    try {
      await body(bench, seed);
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      throw new Error(`seed ${seed}: ${what}`, { cause: error });
    } finally {
      await bench.dispose();
    }
  }
}

/**
 * Tries a crash before the first step of an operation, after the first, and so on to its end.
 *
 * @param open - a fresh medium with the part opened and prepared
 * @param start - begins the operation; its promise is not awaited after a crash
 * @param check - looks at what is there after the crash
 * @since 0.1.0
 */
export async function crashAtEachStep<T>(
  open: () => Promise<{ readonly bench: Bench<T>; readonly part: T }>,
  start: (part: T) => Promise<unknown>,
  check: (part: T, isDone: boolean, bench: Bench<T>) => Promise<void>,
): Promise<void> {
  for (let steps = 0, isOver = false; !isOver; steps += 1) {
    assert(steps < 10_000, 'an operation ends after some steps');
    const { bench, part } = await open();
    try {
      let isDone = false;
      start(part).then(
        () => {
          isDone = true;
        },
        () => undefined,
      );
      for (let step = 0; step < steps && !isDone; step += 1) {
        if (!(await bench.step())) break;
      }
      isOver = isDone;
      await check(await bench.crash(), isDone, bench);
    } finally {
      await bench.dispose();
    }
  }
}
