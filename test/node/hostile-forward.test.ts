// A member that forwards commands without bytes: they are entries all the same.
import { expect, test } from 'vitest';
import { decodeWireMessage, encodeWireMessage } from '../../src/codec/wire-codec.js';
import type { WireMessage } from '../../src/codec/wire-message.js';
import { nodeLimits } from '../../src/node/node-limits.js';
import { Cluster } from './cluster.js';

test('ten frames of 380 KB while nothing commits -> the leader takes what it could apply', async () => {
  const cluster = new Cluster();
  const hear = new Map<number, (message: WireMessage) => void>();
  for (const id of cluster.ids) {
    const around = (transport: Parameters<NonNullable<OpenOptions['around']>>[0]) => {
      const start = transport.start.bind(transport);
      transport.start = (self, handlers) => {
        hear.set(id, (message) => handlers.onMessage(message));
        start(self, handlers);
      };
      return transport;
    };
    await cluster.open(id, { around });
  }
  const leader = await cluster.elect();
  const [from] = cluster.followers(leader);
  const { term } = cluster.node(leader).status.raft;
  const head = { kind: 'forward-request', from, to: leader, term } as const;
  const commands = Array<Uint8Array>(190_000).fill(new Uint8Array(0));
  cluster.isolate(leader);
  for (let id = 1; id <= 10; id += 1) {
    hear.get(leader)?.(decodeWireMessage(encodeWireMessage({ ...head, id, commands })));
    await cluster.time.run(1);
  }
  expect(cluster.node(leader).status.raft.lastIndex).toBeLessThan(2 * nodeLimits.backlogEntriesMax);
  await cluster.close();
}, 60_000);

type OpenOptions = NonNullable<Parameters<Cluster['open']>[1]>;
