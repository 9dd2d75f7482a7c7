import { describe, expect, test } from 'vitest';
import { limits } from '../../src/base/limits.js';

describe('limits', () => {
  test.each(Object.entries(limits))('%s -> a whole number above zero', (_name, value) => {
    expect(Number.isSafeInteger(value) && value > 0).toBe(true);
  });

  test('one request -> fits a frame, an apply batch, the uncommitted quota and a segment', () => {
    const { requestBytesMax } = limits;
    expect(requestBytesMax).toBeLessThan(limits.frameBytesMax / 2);
    expect(requestBytesMax).toBeLessThan(limits.applyBytesMax);
    expect(requestBytesMax).toBeLessThan(limits.uncommittedBytesMax);
    expect(requestBytesMax).toBeLessThan(limits.segmentBytes);
    expect(requestBytesMax).toBeLessThan(limits.overlayBytesMax);
  });

  test('the window of a follower -> drains all that a leader accepts', () => {
    const window = limits.appendBytesMax * limits.inflightMessagesMax;
    expect(window).toBeGreaterThanOrEqual(limits.uncommittedBytesMax);
    expect(limits.appendBytesMax).toBeLessThan(limits.frameBytesMax / 2);
  });

  test('segments -> a whole number of preallocation steps', () => {
    expect(limits.segmentBytes % limits.preallocateBytes).toBe(0);
  });
});
