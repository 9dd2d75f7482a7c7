import { expect, test, vi } from 'vitest';
import { openStore } from '../../src/index.js';

test('fake timers for a while beside an open store -> it goes on, and so do its timeouts', async () => {
  const store = await openStore({ tickMs: 10 });
  await store.put('a', '1');
  const { setTimeout } = globalThis;
  vi.useFakeTimers();
  try {
    await new Promise((resolve) => setTimeout(resolve, 100));
  } finally {
    vi.useRealTimers();
  }
  const lease = await store.lease(2);
  expect(await store.put('leased', 'x', { lease: lease.id })).toMatchObject({ revision: 3 });
  await store.close();
});
