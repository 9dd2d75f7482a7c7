// The end of a member that replicates a machine of one's own, on virtual time.
import { expect, test } from 'vitest';
import { MachineNode } from '../../src/assembly/machine-node.js';
import { Prng } from '../../src/base/prng.js';
import { Node } from '../../src/node/index.js';
import { MemoryLogStore } from '../../src/storage/index.js';
import { identityOf, peerMemory } from '../node/cluster.js';
import { RecordingMachine } from '../node/recording-machine.js';
import { ScriptedTransport } from '../node/scripted-transport.js';
import { VirtualTime } from '../node/virtual-time.js';

async function opened() {
  const time = new VirtualTime();
  const transport = new ScriptedTransport();
  const env = { clock: time, timers: time, random: new Prng(1), transport };
  const log = new MemoryLogStore({ voters: [1] });
  const parts = { env, identity: identityOf(1), log, stateMachine: new RecordingMachine() };
  const node = await Node.open({ ...parts, peerMemory: peerMemory() });
  const closed: string[] = [];
  const member = new MachineNode({
    ...{ node, env, config: { name: 'n1', timeoutMs: 1_000 } },
    onClosed: async () => void closed.push('closed'),
  });
  return { time, node, member, closed };
}

test('a listener told that its leadership is lost, as the node closes -> its calls are CLOSED', async () => {
  const { time, member, closed } = await opened();
  const { value } = await time.settle(member.leadership().next());
  let ends: Promise<unknown> | undefined;
  value?.lost.addEventListener('abort', () => {
    ends = Promise.allSettled([
      member.propose(new Uint8Array(1)),
      member.readIndex(),
      member.members.list(),
      member.members.add('n2', 'm2:1'),
      member.close(),
    ]);
  });
  await time.settle(member.close());
  const refused = { status: 'rejected', reason: { code: 'CLOSED' } };
  expect(await ends).toMatchObject([
    ...[refused, refused, refused, refused],
    { status: 'fulfilled' },
  ]);
  expect(closed).toEqual(['closed']);
  await time.run(100);
  expect(time.pending).toBe(0);
});

test('a node that can not close -> what was opened around it is let go of all the same', async () => {
  const { time, node, member, closed } = await opened();
  const close = node.close.bind(node);
  node.close = async () => {
    await close();
    throw new Error('no close');
  };
  await expect(time.settle(member.close())).rejects.toThrow('no close');
  expect(closed).toEqual(['closed']);
});
