/**
 * Puts through the write-behind backend to classic-level: their rate, the longest stop of the loop, the
 * bytes that reach the disk for each byte put; the same while views are streamed; and how long a
 * capture takes, whatever waits to be flushed.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { systemTimers } from '../../src/base/clock.js';
import type { Change } from '../../src/mvcc/backend.js';
import { openClassicLevel } from '../../src/storage/classic-level/index.js';
import { WriteBehindBackend } from '../../src/storage/index.js';
import { bytesWritten } from './gauges.js';
import { payload, type Report } from './report.js';

const keys = 50_000;
const valueBytes = 256;
const since = (start: number): number => performance.now() - start;

async function putFor(
  backend: WriteBehindBackend,
  state: { index: number },
  seconds: number,
): Promise<{ readonly puts: number; readonly longestMs: number }> {
  const value = payload(valueBytes);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const end = performance.now() + seconds * 1_000;
  let puts = 0;
  while (performance.now() < end) {
    const room = backend.ready();
    if (room !== undefined) await room;
    const changes: Change[] = [];
    for (let n = 0; n < 100; n += 1) {
      const key = `c${(state.index * 100 + n) % keys}`.padEnd(40, '-');
      changes.push([key, value.slice()]);
    }
    state.index += 1;
    backend.apply(changes, state.index);
    puts += changes.length;
    await new Promise<void>((resolve) => systemTimers.soon(resolve));
  }
  delay.disable();
  return { puts, longestMs: delay.max / 1e6 };
}

async function stream(backend: WriteBehindBackend, until: () => boolean): Promise<number> {
  let records = 0;
  while (!until()) {
    const view = backend.capture();
    for (;;) {
      const some = await view.next(500);
      if (some.length === 0 || until()) break;
      records += some.length;
    }
    await view.close();
  }
  return records;
}

/** Measures in a folder of its own. */
export async function writeBehind(folder: string, seconds: number, report: Report): Promise<void> {
  const engine = await openClassicLevel(`${folder}/state`);
  const backend = await WriteBehindBackend.open({ engine, timers: systemTimers });
  const state = { index: 0 };
  await putFor(backend, state, 1);
  const before = bytesWritten();
  const alone = await putFor(backend, state, seconds);
  await backend.flush();
  const written = bytesWritten() - before;
  const putBytes = alone.puts * (valueBytes + 40);
  report('puts of 256 B, flushed behind', alone.puts / seconds, '1/s');
  report('  longest stop of the loop', alone.longestMs, 'ms', 1);
  if (before > 0) report('  bytes to the disk for each byte put', written / putBytes, 'x', 2);
  let isOver = false;
  const streaming = stream(backend, () => isOver);
  const beside = await putFor(backend, state, seconds);
  isOver = true;
  report('puts while views are streamed', beside.puts / seconds, '1/s');
  report('  longest stop of the loop', beside.longestMs, 'ms', 1);
  report('  records streamed meanwhile', (await streaming) / seconds, '1/s');
  await captures(backend, state, report);
  await backend.close();
}

async function captures(
  backend: WriteBehindBackend,
  state: { index: number },
  report: Report,
): Promise<void> {
  for (const waiting of [0, 10_000, 100_000]) {
    const value = new Uint8Array(32);
    const changes = Array.from({ length: waiting }, (_, n): Change => [`k${n}`, value]);
    await backend.flush();
    state.index += 1;
    backend.apply(changes, state.index);
    const start = performance.now();
    const view = backend.capture();
    report(`capture with ${waiting} changes waiting`, since(start) * 1_000, 'us');
    await view.close();
  }
}
