import { expect, test } from 'vitest';
import type { WireMessage } from '../../src/codec/wire-message.js';
import type { TransportHandlers } from '../../src/transport/transport.js';
import { Cluster } from './cluster.js';

test('a member that claims terms as far apart as may be -> the others elect one without it', async () => {
  const cluster = new Cluster();
  const hear = new Map<number, (message: WireMessage) => void>();
  for (const id of cluster.ids) {
    await cluster.open(id, {
      around: (transport) => {
        const start = transport.start.bind(transport);
        transport.start = (self, handlers: TransportHandlers) => {
          hear.set(id, (message) => handlers.onMessage(message));
          start(self, handlers);
        };
        return transport;
      },
    });
  }
  await cluster.elect();
  cluster.isolate(3); // from here on the test speaks for it
  const last = { term: 0, index: 0 };
  for (let n = 1; n <= 2 ** 13; n += 1) {
    const term = Math.min(n * 2 ** 40, Number.MAX_SAFE_INTEGER);
    for (const to of [1, 2]) {
      hear.get(to)?.({ kind: 'vote-request', from: 3, to, term, last, transfer: true });
    }
    if (n % 1_000 === 0) await cluster.time.run(1);
  }
  await cluster.time.run(30_000);
  const [a, b] = [1, 2].map((id) => cluster.node(id).status);
  expect([a?.failure, b?.failure]).toEqual([undefined, undefined]);
  expect([1, 2]).toContain(a?.leaderId);
  await cluster.close();
}, 100_000);
