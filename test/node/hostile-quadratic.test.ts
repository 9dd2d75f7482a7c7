// A snapshot-request with as many members as a frame holds.
import { expect, test, vi } from 'vitest';
import { Prng } from '../../src/base/prng.js';
import { decodeWireMessage, encodeWireMessage } from '../../src/codec/wire-codec.js';
import { Node } from '../../src/node/index.js';
import { MemoryLogStore, MemorySnapshotStore } from '../../src/storage/index.js';
import { identityOf, peerMemory } from './cluster.js';
import { RecordingMachine } from './recording-machine.js';
import { ScriptedTransport } from './scripted-transport.js';
import { VirtualTime } from './virtual-time.js';

test('a snapshot of 190,000 members is announced -> none of them is looked for among all the others', async () => {
  const time = new VirtualTime();
  const transport = new ScriptedTransport();
  const env = { clock: time, timers: time, random: new Prng(1), transport };
  const log = new MemoryLogStore({ voters: [1, 2, 3] });
  const stateMachine = Object.assign(new RecordingMachine(), {
    snapshot: () => Promise.reject(new Error('none')),
    restore: () => Promise.reject(new Error('none')),
  });
  const own = { identity: identityOf(1), log, snapshots: new MemorySnapshotStore() };
  const node = await Node.open({ ...own, env, stateMachine, peerMemory: peerMemory() } as never);
  const learners = Array.from({ length: 190_000 }, (_, at) => at + 10);
  const configuration = { voters: [1], learners };
  const snapshot = { last: { term: 4, index: 1_000 }, data: new Uint8Array(8), configuration };
  const frame = encodeWireMessage({ kind: 'snapshot-request', from: 2, to: 1, term: 5, snapshot });
  transport.handlers.onMessage(decodeWireMessage(frame));
  let looked = 0;
  const { includes } = Array.prototype;
  vi.spyOn(Array.prototype, 'includes').mockImplementation(function (this: unknown[], each) {
    looked += this.length;
    return includes.call(this, each);
  });
  await time.run(1);
  vi.restoreAllMocks();
  await time.settle(node.close());
  expect(looked).toBeLessThan(1_000_000);
}, 60_000);
