/**
 * Time as the environment gives it. This is the only file of the product that touches the
 * platform's clocks and timers (`test/tidy.test.ts`); everything else receives them.
 */

/**
 * Reads time. Monotonic time decides (timeouts, leases); wall time is for people only.
 *
 * @since 0.1.0
 */
export interface Clock {
  /** Milliseconds since an arbitrary point; never goes back; fractions allowed. */
  monotonicMs(): number;
  /** Milliseconds since 1970; may jump either way. */
  wallMs(): number;
}

/**
 * The longest delay that a timer of the platform takes, in milliseconds; one that is longer fires at once.
 *
 * @since 0.1.0
 */
export const timerMsMax = 2 ** 31 - 1;

/**
 * A pending callback. Cancelling twice, or after it ran, does nothing.
 *
 * @since 0.1.0
 */
export interface Timer {
  cancel(): void;
}

/**
 * Schedules callbacks. A callback runs once, never inside the call that scheduled it.
 *
 * @since 0.1.0
 */
export interface Timers {
  /** Runs `callback` no earlier than `delayMs` from now. Pending timers keep the process alive. */
  after(delayMs: number, callback: () => void): Timer;
  /** Runs `callback` in the next turn of the event loop, after the I/O that is ready now. */
  soon(callback: () => void): Timer;
}

/**
 * As they were when this was loaded: fake timers that a test framework puts in their place for one test would
 * swallow the next turn of a store that is open meanwhile, and it would never have another.
 */
const { setTimeout, clearTimeout, setImmediate, clearImmediate } = globalThis;
const now = performance.now.bind(performance);

/**
 * The process's own clock.
 *
 * @since 0.1.0
 */
export const systemClock: Clock = {
  monotonicMs: now,
  wallMs: () => Date.now(),
};

/**
 * The event loop's own timers.
 *
 * @since 0.1.0
 */
export const systemTimers: Timers = {
  after(delayMs, callback) {
    const handle = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
  soon(callback) {
    if (typeof setImmediate === 'undefined') {
      messageTurns ??= new MessageTurns();
      return messageTurns.add(callback);
    }
    const handle = setImmediate(callback);
    return { cancel: () => clearImmediate(handle) };
  },
};

/**
 * Turns of the event loop where there is no `setImmediate`, as in browsers: a message to oneself comes
 * in the next one, while timers are held back there by milliseconds.
 */
class MessageTurns {
  readonly #channel = new MessageChannel();
  /** In the order of the messages that were sent for them. */
  readonly #due: { callback: (() => void) | undefined }[] = [];

  constructor() {
    const onmessage = () => this.#due.shift()?.callback?.();
    // A property of browsers, which the types of Node's port lack.
    Object.assign(this.#channel.port1, { onmessage });
  }

  add(callback: () => void): Timer {
    const turn: { callback: (() => void) | undefined } = { callback };
    this.#due.push(turn);
    this.#channel.port2.postMessage(undefined);
    return {
      cancel: () => {
        turn.callback = undefined;
      },
    };
  }
}

let messageTurns: MessageTurns | undefined;
