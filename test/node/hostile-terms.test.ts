// A member that makes terms up does not use them up.
import { expect, test } from 'vitest';
import type { WireMessage } from '../../src/codec/wire-message.js';
import type { Transport } from '../../src/transport/index.js';
import { Cluster } from './cluster.js';

/** A group with a leader; the test speaks for the third member, which the others do not hear. */
async function group() {
  const cluster = new Cluster();
  const hear = new Map<number, (message: WireMessage) => void>();
  for (const id of cluster.ids) {
    const around = (transport: Transport): Transport => {
      const start = transport.start.bind(transport);
      transport.start = (self, handlers) => {
        hear.set(id, (message) => handlers.onMessage(message));
        start(self, handlers);
      };
      return transport;
    };
    await cluster.open(id, { around });
  }
  await cluster.elect();
  cluster.isolate(3);
  const claim = (term: number): void => {
    const vote = { kind: 'vote-request', from: 3, term, transfer: true } as const;
    for (const to of [1, 2]) hear.get(to)?.({ ...vote, to, last: { term: 0, index: 0 } });
  };
  const termOf = (id: number): number => cluster.node(id).status.raft.term;
  return { cluster, claim, termOf };
}

test('terms as far apart as may be -> the others elect one without it', async () => {
  const { cluster, claim } = await group();
  for (let n = 1; n <= 2 ** 13; n += 1) {
    claim(Math.min(n * 2 ** 40, Number.MAX_SAFE_INTEGER));
    if (n % 1_000 === 0) await cluster.time.run(1);
  }
  await cluster.time.run(30_000);
  const [a, b] = [1, 2].map((id) => cluster.node(id).status);
  expect([a?.failure, b?.failure]).toEqual([undefined, undefined]);
  expect([1, 2]).toContain(a?.leaderId);
  await cluster.close();
}, 100_000);

test('far above one that was away meanwhile -> it follows the others after a while', async () => {
  const { cluster, claim, termOf } = await group();
  for (let round = 0; round < 5; round += 1) {
    // As far as one message may move them.
    claim(Math.max(termOf(1), termOf(2)) + 2 ** 24 - 100);
    await cluster.time.run(3_000);
  }
  expect(Math.min(termOf(1), termOf(2)) - termOf(3)).toBeGreaterThan(3 * 2 ** 24);
  cluster.heal();
  await cluster.time.run(10_000);
  const leaders = cluster.ids.map((id) => cluster.node(id).status.leaderId);
  expect(leaders[0]).toBeGreaterThan(0);
  expect(new Set(leaders).size).toBe(1);
  await cluster.close();
}, 100_000);
