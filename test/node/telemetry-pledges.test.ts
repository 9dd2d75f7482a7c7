// Goal: a disk that is full for hours costs its member nothing when there is space again.
import { expect, test } from 'vitest';
import { Deferred } from '../../src/base/deferred.js';
import { PersistLoop } from '../../src/node/persist-loop.js';
import { NodeTelemetry } from '../../src/node/telemetry.js';
import type { Message } from '../../src/raft/messages.js';
import type { StorageAppend } from '../../src/raft/ready.js';
import { MemoryLogStore } from '../../src/storage/index.js';
import { VirtualTime } from './virtual-time.js';

test('the same pledge is asked for a million times while a write waits for space -> each counts once it is written', async () => {
  const time = new VirtualTime();
  const timings = { memberId: 2, tickMs: 100, electionTicks: 10 };
  const nothing = () => undefined;
  const env = { clock: time, timers: time };
  const telemetry = new NodeTelemetry({ env, ...timings, probe: nothing, wake: nothing });
  const space = new Deferred<void>();
  const log = new MemoryLogStore({ voters: [1, 2, 3] });
  // As the log on disk: who brings nothing new waits for the group that is under way.
  log.append = () => space.promise;
  const persist = new PersistLoop(log, {
    onWritten: (append) => telemetry.written(append),
    onDurable: nothing,
    onFailed: nothing,
  });
  const pledge: Message = { kind: 'append-response', from: 2, to: 1, term: 3, index: 7 };
  const push = (append: StorageAppend) => {
    telemetry.writing(append);
    persist.push(append);
  };
  const entry = { term: 3, index: 7, type: 'normal', data: new Uint8Array(1) } as const;
  push({ entries: [entry], mustSync: true, responses: [pledge] });
  for (let nth = 0; nth < 1_000_000; nth += 1) {
    push({ entries: [], mustSync: false, responses: [pledge] });
  }
  // A list of them all, from which one after the other is shifted, takes longer than a test may.
  space.resolve();
  await persist.stop();
  expect(telemetry.meter.logWrites).toBe(1_000_001);
  expect(telemetry.meter.logWriteMs.count).toBe(telemetry.meter.logWrites);
});
