// What the core is told of snapshots on their way to others.
import { describe, expect, test } from 'vitest';
import { Deferred } from '../../src/base/deferred.js';
import { kontikiError } from '../../src/base/errors.js';
import { Prng } from '../../src/base/prng.js';
import { encodeMemberList } from '../../src/codec/member-codec.js';
import type { SnapshotAck } from '../../src/codec/wire-message.js';
import type { NodeOptions } from '../../src/node/node-options.js';
import { streamData } from '../../src/node/snapshot-receiver.js';
import { type SnapshotHandlers, Snapshots } from '../../src/node/snapshots.js';
import type { ConfState } from '../../src/raft/configuration.js';
import type { SnapshotRequest } from '../../src/raft/messages.js';
import { MemorySnapshotStore } from '../../src/storage/index.js';
import { LoneNode } from '../raft/lone-node.js';
import { VirtualTime } from './virtual-time.js';

const configuration = { voters: [1, 2] };
const last = { term: 1, index: 5 };

/** A leader that has one stored, and is about to send it to member 2. */
async function sending() {
  const store = new MemorySnapshotStore();
  const sink = await store.create(last, configuration);
  await sink.write(Uint8Array.of(1, 2, 3));
  await sink.commit();
  const time = new VirtualTime();
  const reports: [to: number, arrived: boolean][] = [];
  const sent: string[] = [];
  const raft = {
    ...{ id: 1, term: 1, status: () => ({ commit: 9 }) },
    reportSnapshot: (to: number, arrived: boolean) => void reports.push([to, arrived]),
  };
  const env = {
    ...{ clock: time, timers: time, random: new Prng(7) },
    transport: { send: ({ kind }: { kind: string }) => void sent.push(kind) },
  };
  const log = { firstIndex: () => 5, lastIndex: () => 9, term: () => 1 };
  const stateMachine = { snapshot: () => undefined, restore: () => undefined };
  const options = { env, log, snapshots: store, stateMachine } as unknown as NodeOptions;
  const handlers = { wake: () => undefined, configuration: () => configuration };
  const parts = [options, raft, {}, handlers as unknown as SnapshotHandlers] as never;
  const snapshots = (Snapshots.of as (...all: never) => Snapshots | undefined)(
    ...parts,
  ) as Snapshots;
  while (snapshots.latest() === undefined) await new Promise((resolve) => setImmediate(resolve));
  const snapshot = { last, configuration, data: new Uint8Array(0) };
  const request: SnapshotRequest = { kind: 'snapshot-request', from: 1, to: 2, term: 1, snapshot };
  return { reports, request, sent, snapshots, store };
}

test('one is on its way when the core begins anew -> it hears nothing of the one before', async () => {
  const { reports, request, sent, snapshots } = await sending();
  snapshots.send(request);
  snapshots.send(request);
  expect(sent).toEqual(['snapshot-request', 'snapshot-request']);
  // It would take it for the end of the one that just began, and begin anew, for ever.
  expect(reports).toEqual([]);
  snapshots.onLinkLost(2);
  expect(reports).toEqual([[2, false]]);
});

test('there is none any more of that entry -> it hears so, and of nothing else', async () => {
  const { reports, request, snapshots } = await sending();
  snapshots.send(request);
  snapshots.send({ ...request, snapshot: { ...request.snapshot, last: { term: 1, index: 4 } } });
  expect(reports).toEqual([[2, false]]);
  snapshots.onLinkLost(2);
  expect(reports).toEqual([[2, false]]);
});

test('a damaged one is being removed when all stops -> it waits for that', async () => {
  const { request, snapshots, store } = await sending();
  const removal = new Deferred<void>();
  store.read = () => {
    throw kontikiError('SNAPSHOT_CORRUPT', 'damaged', { file: 'a', offset: 0 });
  };
  store.remove = () => removal.promise;
  snapshots.send(request);
  let isStopped = false;
  const stopped = snapshots.stop().then(() => {
    isStopped = true;
  });
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(isStopped).toBe(false);
  removal.resolve();
  await stopped;
});

describe('a request that the core, or the driver, could not take', () => {
  const requestOf = (term: number, index: number, state: ConfState = configuration) => {
    const snapshot = { last: { term: 1, index }, configuration: state, data: streamData(index) };
    return { kind: 'snapshot-request', from: 1, to: 2, term, snapshot } as const;
  };

  /** Member 2, with what it answers. */
  function receiving() {
    const time = new VirtualTime();
    const answers: string[] = [];
    const env = {
      ...{ clock: time, timers: time, random: new Prng(7) },
      transport: { send: (ack: SnapshotAck) => void answers.push(`${ack.id} ${ack.state}`) },
    };
    const bytesAbove = () => 0;
    const log = { firstIndex: () => 1, lastIndex: () => 0, term: () => undefined, bytesAbove };
    const restorable = { snapshot: () => undefined, restore: () => undefined };
    const stateMachine = { ...restorable, durableIndex: 0 };
    const store = new MemorySnapshotStore();
    const options = { env, log, snapshots: store, stateMachine } as unknown as NodeOptions;
    const handlers = { wake: () => undefined, configuration: () => configuration };
    const { node } = new LoneNode({ id: 2, voters: [1, 2] });
    const parts = [options, node, {}, handlers as unknown as SnapshotHandlers] as never;
    const snapshots = (Snapshots.of as (...all: never) => Snapshots | undefined)(...parts);
    const wait = async (ms: number) => {
      await time.run(ms);
      snapshots?.tick();
      for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
    };
    const hear = async (request: SnapshotRequest) => {
      snapshots?.onMessage(request);
      for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
    };
    return { answers, hear, store, wait };
  }

  test.each<[string, SnapshotRequest]>([
    ['of a term that is none', requestOf(Number.MAX_SAFE_INTEGER, 6)],
    ['of an index that is none', requestOf(1, Number.MAX_SAFE_INTEGER)],
    ['of no possible group', requestOf(1, 6, { ...configuration, learners: [2] })],
    ['with no list of members', requestOf(1, 6, { ...configuration, context: Uint8Array.of(7) })],
    [
      'with a list that is none',
      requestOf(1, 6, { ...configuration, context: Uint8Array.of(1, 9) }),
    ],
  ])('%s -> not taken, and what is being received goes on', async (_what, unlawful) => {
    const { answers, hear } = receiving();
    await hear(requestOf(1, 5));
    await hear(unlawful);
    await hear(requestOf(1, 5));
    expect(answers).toEqual(['5 receiving', '5 receiving']);
  });

  test('its leader is gone for a minute -> a tick gives up what was received', async () => {
    const { hear, store, wait } = receiving();
    const create = () => store.create({ term: 1, index: 5 }, configuration);
    await hear(requestOf(1, 5));
    await wait(1);
    await expect(create()).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' });
    await wait(60_000);
    await (await create()).discard();
  });

  test('with a list of members -> taken', async () => {
    const { answers, hear } = receiving();
    const context = encodeMemberList({ members: [], removed: [3] });
    await hear(requestOf(1, 5, { ...configuration, context }));
    expect(answers).toEqual(['5 receiving']);
  });
});
