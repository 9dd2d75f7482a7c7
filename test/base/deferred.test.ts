import { describe, expect, test } from 'vitest';
import { Deferred } from '../../src/base/deferred.js';

describe('deferred', () => {
  test('resolved -> its promise has the value', async () => {
    const deferred = new Deferred<number>();
    expect(deferred.settled).toBe(false);
    deferred.resolve(7);
    expect(deferred.settled).toBe(true);
    await expect(deferred.promise).resolves.toBe(7);
  });

  test('rejected -> its promise has the reason', async () => {
    const deferred = new Deferred<number>();
    deferred.reject(new Error('no'));
    expect(deferred.settled).toBe(true);
    await expect(deferred.promise).rejects.toThrow('no');
  });

  test('settled again -> the first stands', async () => {
    const deferred = new Deferred<number>();
    deferred.resolve(1);
    deferred.resolve(2);
    deferred.reject(new Error('late'));
    await expect(deferred.promise).resolves.toBe(1);
  });
});
