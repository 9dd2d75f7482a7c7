// A lease that is found while the member loses its right to answer is lost like all the others.
import { expect, test } from 'vitest';
import { Deferred } from '../../src/base/deferred.js';
import { kontikiError } from '../../src/base/errors.js';
import { Prng } from '../../src/base/prng.js';
import { encodeLeaseAnswer } from '../../src/codec/lease-question-codec.js';
import { Leases } from '../../src/store/leases.js';
import { VirtualTime } from '../node/virtual-time.js';

test('an alarm while the leader is asked -> what is found is lost with it', async () => {
  const time = new VirtualTime();
  const answer = new Deferred<Uint8Array>();
  const refusal = kontikiError('CORRUPT', 'store: the state of this member is wrong');
  let isAlarmed = false;
  const check = () => {
    if (isAlarmed) throw refusal;
  };
  const entry = { id: 7n, ttlSeconds: 60, remainingMs: 0, generation: 3 };
  const leases = new Leases({
    node: { ask: () => answer.promise, leadTerm: 0, electionMs: 1_000 } as never,
    keyspace: () => ({ lease: () => entry }) as never,
    ...{ clock: time, timers: time, random: new Prng(1), timeoutMs: 7_000 },
    checkpointIntervalMs: 300_000,
    checkServing: check,
    write: async () => undefined,
    catchUp: async () => check(),
    run: async () => undefined as never,
  });
  const call = leases.find(7n, {}).then(
    (lease) => lease?.lost.reason,
    (error: unknown) => error,
  );
  await time.run(10);
  isAlarmed = true;
  leases.lose(refusal);
  answer.resolve(encodeLeaseAnswer([60, 50_000]));
  expect(await time.settle(call)).toMatchObject({ code: 'CORRUPT' });
});
