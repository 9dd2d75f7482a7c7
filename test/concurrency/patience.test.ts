// How long somebody waits, on virtual time.
import { describe, expect, test } from 'vitest';
import { Patience } from '../../src/concurrency/patience.js';
import { VirtualTime } from '../node/virtual-time.js';

/** As a polyfill, or another realm, has it: the shape of a signal, and no `AbortSignal`. */
function foreign(signal: AbortSignal): AbortSignal {
  const like = {
    get aborted() {
      return signal.aborted;
    },
    get reason() {
      return signal.reason;
    },
    throwIfAborted: () => signal.throwIfAborted(),
    addEventListener: signal.addEventListener.bind(signal),
    removeEventListener: signal.removeEventListener.bind(signal),
  };
  return like as unknown as AbortSignal;
}

describe('patience', () => {
  test('a signal of another realm -> taken for one, as the store does', () => {
    const time = new VirtualTime();
    const controller = new AbortController();
    const patience = new Patience({ signal: foreign(controller.signal), timeoutMs: 100 }, time);
    expect(patience.signal.aborted).toBe(false);
    controller.abort('enough');
    expect(patience.signal.reason).toBe('enough');
    const late = new Patience({ signal: foreign(controller.signal) }, time);
    expect(late.signal.reason).toBe('enough');
    patience.end();
    expect(time.pending).toBe(0);
  });

  test.each([null, 'abort', {}, new AbortController()])(
    'a signal of %o -> ARGUMENT_INVALID, and no timer is left',
    (signal) => {
      const time = new VirtualTime();
      const options = { signal: signal as AbortSignal, timeoutMs: 100 };
      const refusal = { code: 'ARGUMENT_INVALID', outcome: 'rejected' };
      expect(() => new Patience(options, time)).toThrow(expect.objectContaining(refusal));
      expect(time.pending).toBe(0);
    },
  );
});
