// Who waits for what was acknowledged may learn by it that its own state is wrong.
import { expect, test } from 'vitest';
import { kontikiError } from '../../src/base/errors.js';
import { CallTime } from '../../src/store/call-time.js';
import type { StoreStateMachine } from '../../src/store/state-machine.js';
import { StoreReads, type StoreReadsParts } from '../../src/store/store-reads.js';
import { VirtualTime } from '../node/virtual-time.js';

test('the own alarm is applied while a call catches up -> CORRUPT, not an answer', async () => {
  const time = new VirtualTime();
  let isWrong = false;
  const parts = {
    machine: { whenRevision: () => undefined } as unknown as StoreStateMachine,
    node: {
      readIndex: async () => {
        isWrong = true;
      },
    },
    refusal: () => (isWrong ? kontikiError('CORRUPT', 'its state is wrong') : undefined),
    ...{ clock: time, timers: time, timeoutMs: 1_000 },
  } as unknown as StoreReadsParts;
  const reads = new StoreReads(parts);
  const catchingUp = reads.catchUp(new CallTime(parts, {}), false);
  const outcome = expect(catchingUp).rejects.toMatchObject({ code: 'CORRUPT' });
  await time.run(10);
  await outcome;
});
