// Views that are taken while a flush does not end: reads must not become slower with each of them.
import { expect, test, vi } from 'vitest';
import { Overlay } from '../../src/storage/overlay.js';
import { WriteBehindBackend } from '../../src/storage/write-behind.js';
import { ManualTimers } from './manual-timers.js';
import { ScriptedEngine } from './scripted-engine.js';

test('views of few changes each while a flush waits -> a key is looked for in few layers', async () => {
  const engine = new ScriptedEngine();
  engine.isNow = true;
  engine.hold = true;
  const timers = new ManualTimers();
  const backend = await WriteBehindBackend.open({ engine, timers });
  backend.apply([['c0', Uint8Array.of(0)]], 1);
  timers.advance(1_000);
  for (let n = 1; n <= 1_000; n += 1) {
    backend.apply([[`c${n}`, Uint8Array.of(1)]], 1 + n);
    await backend.capture().close();
  }
  const get = vi.spyOn(Overlay.prototype, 'get');
  backend.read({ keys: ['nobody'], ranges: [] });
  const { length } = get.mock.calls;
  get.mockRestore();
  expect(length).toBeLessThan(64);
});
