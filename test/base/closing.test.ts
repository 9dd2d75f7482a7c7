import { expect, test } from 'vitest';
import { Closing } from '../../src/base/closing.js';

test('what is called while it closes sees it as begun, and closing again waits for the same', async () => {
  const closing = new Closing();
  const seen: unknown[] = [closing.hasBegun];
  let again: Promise<void> | undefined;
  const begun = closing.begin(async () => {
    seen.push(closing.hasBegun);
    again = closing.begin(async () => {
      seen.push('closed twice');
    });
  });
  expect(again).toBe(begun);
  await begun;
  expect(seen).toEqual([false, true]);
});

test('a close that fails -> all who wait are told', async () => {
  const closing = new Closing();
  const failure = new Error('no close');
  const begun = closing.begin(() => Promise.reject(failure));
  const again = closing.begin(async () => undefined);
  await expect(begun).rejects.toBe(failure);
  await expect(again).rejects.toBe(failure);
});
