/** The platform's own clock and timers; what they wait is the platform's business, not tested. */
import { describe, expect, test, vi } from 'vitest';
import { systemClock, systemTimers } from '../../src/base/clock.js';

describe('system clock', () => {
  test('monotonic time -> never goes back', () => {
    let last = systemClock.monotonicMs();
    for (let i = 0; i < 1_000; i += 1) {
      const now = systemClock.monotonicMs();
      expect(now).toBeGreaterThanOrEqual(last);
      last = now;
    }
  });
});

describe('system timers without setImmediate, as in a browser', () => {
  test('soon -> in order, not inside the call; cancelled -> not at all', async () => {
    const ports: { close(): void }[] = [];
    const NodeChannel = MessageChannel;
    class PageChannel extends NodeChannel {
      constructor() {
        super();
        ports.push(this.port1);
      }
    }
    vi.stubGlobal('setImmediate', undefined);
    vi.stubGlobal('MessageChannel', PageChannel);
    vi.resetModules();
    try {
      // It keeps what it finds when it is loaded.
      const { systemTimers } = await import('../../src/base/clock.js');
      const ran: string[] = [];
      systemTimers.soon(() => ran.push('first'));
      systemTimers.soon(() => ran.push('cancelled')).cancel();
      const last = new Promise<void>((resolve) => systemTimers.soon(resolve));
      expect(ran).toEqual([]);
      await last;
      expect(ran).toEqual(['first']);
      expect(ports).toHaveLength(1);
    } finally {
      for (const port of ports) port.close();
      vi.unstubAllGlobals();
    }
  });
});

describe('system timers', () => {
  test.each(['soon', 'after'] as const)('%s -> runs once, not inside the call', async (kind) => {
    let ran = 0;
    await new Promise<void>((resolve) => {
      const callback = () => {
        ran += 1;
        resolve();
      };
      if (kind === 'soon') systemTimers.soon(callback);
      else systemTimers.after(0, callback);
      expect(ran).toBe(0);
    });
    expect(ran).toBe(1);
  });

  test('cancelled, even twice -> never runs; cancelled after it ran -> nothing', async () => {
    const ran: string[] = [];
    const cancelled = [
      systemTimers.soon(() => ran.push('soon')),
      systemTimers.after(0, () => ran.push('after')),
    ];
    for (const timer of [...cancelled, ...cancelled]) timer.cancel();
    const last = await new Promise<{ cancel(): void }>((resolve) => {
      const timer = systemTimers.after(1, () => {
        systemTimers.soon(() => resolve(timer));
      });
    });
    last.cancel();
    expect(ran).toEqual([]);
  });
});
