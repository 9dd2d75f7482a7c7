// A member whose state is wrong: it is found, it answers nobody, and the others go on.
import { afterEach, describe, expect, test } from 'vitest';
import { utf8Bytes } from '../../src/base/bytes.js';
import { decodeCurrent, encodeChange } from '../../src/mvcc/record.js';
import { currentKey } from '../../src/mvcc/record-keys.js';
import { encodeRequest } from '../../src/store/encode-request.js';
import { stateHashInterval } from '../../src/store/state-hashes.js';
import { bytesOf } from '../backup/backed-up.js';
import { VirtualStores } from './virtual-store.js';

let stores: VirtualStores;
afterEach(() => stores.close());

const corrupt = (fields: object = {}) => expect.objectContaining({ code: 'CORRUPT', ...fields });
const leader = () => stores.ids.find((id) => stores.store(id).status().role === 'leader') as number;
const followers = () => stores.others(leader());

/** Another value under a right checksum, in one member's state alone. */
async function falsify(id: number, key: string): Promise<void> {
  const { backend, appliedIndex } = stores.member(id).machine;
  const recordKey = currentKey(key);
  const { records } = await backend.read({ keys: [recordKey], ranges: [] });
  const change = decodeCurrent(recordKey, records[0] as Uint8Array);
  const version = { ...change.version, value: utf8Bytes('wrong') };
  backend.apply([[recordKey, encodeChange({ ...change, version })]], appliedIndex);
}

/** Up to the next index at which hashes are recorded, and a little beyond. */
async function toNextMark(via: number): Promise<void> {
  const { lastIndex } = stores.store(via).status();
  const count = stateHashInterval - (lastIndex % stateHashInterval) + 5;
  const puts = Array.from({ length: count }, (_, nth) => stores.store(via).put('a', `${nth}`));
  await stores.settle(Promise.allSettled(puts));
}

async function opened(count: number): Promise<void> {
  stores = await VirtualStores.opened(count);
  await stores.settle(stores.store(leader()).put('a', '0'));
  await stores.time.run(200);
}

const alarmsOf = (id: number) => stores.store(id).status().alarms;

describe('one of three', () => {
  test('a follower -> alarmed within three seconds; refuses all; the others serve', async () => {
    await opened(3);
    const [wrong, right] = followers() as [number, number];
    const store = stores.store(wrong);
    const watch = store.watch('a')[Symbol.asyncIterator]();
    const lease = await stores.settle(store.lease(60));
    const told: unknown[] = [];
    stores.store(right).on('alarms', ({ alarms }) => told.push(alarms));
    await falsify(wrong, 'a');
    await toNextMark(leader());
    await stores.time.until(() => alarmsOf(wrong).length > 0, 3_000);
    const alarm = { kind: 'CORRUPT', memberId: wrong, member: `n${wrong}` };
    await stores.time.run(200);
    for (const id of stores.ids) expect(alarmsOf(id)).toEqual([alarm]);
    expect(told).toEqual([[alarm]]);
    expect(lease.lost.reason).toEqual(corrupt());
    await expect(stores.settle(lease.timeToLive())).rejects.toEqual(corrupt());
    const rejected = corrupt({ outcome: 'rejected' });
    await expect(store.put('a', 'x')).rejects.toEqual(rejected);
    await expect(store.get('a', { serializable: true })).rejects.toEqual(corrupt());
    await expect(store.range({ prefix: 'a' })).rejects.toEqual(corrupt());
    await expect(store.delete('a')).rejects.toEqual(rejected);
    await expect(store.lease(60)).rejects.toEqual(rejected);
    expect(() => store.watch('a')).toThrow(corrupt());
    const ended = async () => {
      for (;;) if ((await watch.next()).done) return;
    };
    await expect(stores.settle(ended())).rejects.toEqual(corrupt());
    expect(() => stores.member(wrong).machine.snapshot()).toThrow(corrupt());
    expect(await stores.settle(store.alarms())).toEqual([alarm]);
    expect(await stores.settle(store.members.list())).toHaveLength(3);
    await stores.settle(stores.store(right).put('a', 'on'));
    expect((await stores.settle(stores.store(leader()).get('a')))?.text()).toBe('on');
    expect(stores.store(right).metrics().alarms).toBe(1);
  });

  test('refuses a write that was under way -> unknown: the others may have taken it', async () => {
    await opened(3);
    const [wrong] = followers() as [number, number];
    const alarm = { op: 'alarm', member: wrong, isRaised: true } as const;
    const { node } = stores.member(leader());
    const raised = node.propose((id) => encodeRequest(id, alarm), { timeoutMs: 1_000 });
    // Its own state says that there is no such lease; but it is wrong.
    const put = stores.store(wrong).put('a', 'x', { lease: 77n });
    await stores.settle(raised);
    await expect(stores.settle(put)).rejects.toEqual(corrupt({ outcome: 'unknown' }));
  });

  test('a restart keeps the alarm; ended by a call -> serves; still different -> again', async () => {
    await opened(3);
    const [wrong] = followers() as [number];
    await falsify(wrong, 'a');
    await toNextMark(leader());
    await stores.time.until(() => alarmsOf(wrong).length > 0, 3_000);
    const [other] = stores.others(wrong).filter((id) => id !== leader()) as [number];
    await stores.settle(stores.store(other).close());
    await stores.open(other);
    await stores.time.until(() => alarmsOf(other).length > 0, 10_000);
    const [alarm] = await stores.settle(stores.store(wrong).alarms());
    await stores.settle(stores.store(wrong).disarm(alarm as never));
    await stores.time.run(5_000);
    for (const id of stores.ids) expect(alarmsOf(id)).toEqual([]);
    await stores.settle(stores.store(wrong).put('b', '1'));
    await toNextMark(leader());
    await stores.time.until(() => alarmsOf(wrong).length > 0, 3_000);
    expect(alarmsOf(wrong)[0]?.memberId).toBe(wrong);
  });

  test('the leader -> lets another one lead', async () => {
    await opened(3);
    const wrong = leader();
    await falsify(wrong, 'a');
    await toNextMark(wrong);
    await stores.time.until(() => alarmsOf(wrong).length > 0, 3_000);
    expect(alarmsOf(wrong)[0]?.memberId).toBe(wrong);
    await stores.time.until(() => leader() !== undefined && leader() !== wrong, 3_000);
    await stores.settle(stores.store(leader()).put('a', 'on'));
  });
});

describe('nobody can say who is right', () => {
  test('two members -> neither answers, until the alarm is ended', async () => {
    await opened(2);
    await falsify(followers()[0] as number, 'a');
    await toNextMark(leader());
    await stores.time.until(() => stores.ids.every((id) => alarmsOf(id).length > 0), 3_000);
    for (const id of stores.ids) {
      expect(alarmsOf(id)).toEqual([{ kind: 'CORRUPT', memberId: undefined, member: undefined }]);
      await expect(stores.store(id).get('a', { serializable: true })).rejects.toEqual(corrupt());
    }
    await stores.settle(stores.store(1).disarm({ memberId: undefined }));
    expect(await stores.settle(stores.store(2).get('a'))).toBeDefined();
  });

  test('two members -> a backup of what one of them has is taken: whoever decides goes on with it', async () => {
    await opened(2);
    await falsify(followers()[0] as number, 'a');
    await toNextMark(leader());
    await stores.time.until(() => stores.ids.every((id) => alarmsOf(id).length > 0), 3_000);
    for (const serializable of [true, false]) {
      const bytes = await stores.settle(bytesOf(stores.store(leader()).backup({ serializable })));
      expect(bytes.length).toBeGreaterThan(1_000);
    }
  });

  test('two of three, one away -> after five seconds; it comes back -> the wrong one is named', async () => {
    await opened(3);
    const [wrong, away] = followers() as [number, number];
    await falsify(wrong, 'a');
    stores.isolate(away);
    await toNextMark(leader());
    await stores.time.run(3_000);
    expect(alarmsOf(wrong)).toEqual([]);
    await stores.time.until(() => alarmsOf(wrong).length > 0, 8_000);
    expect(alarmsOf(wrong)[0]?.memberId).toBe(undefined);
    stores.heal();
    await stores.time.until(() => alarmsOf(wrong).length > 1, 10_000);
    expect(alarmsOf(wrong)[1]?.memberId).toBe(wrong);
  });
});

test('arguments that are no alarm -> ARGUMENT_INVALID', async () => {
  await opened(1);
  const refused = expect.objectContaining({ code: 'ARGUMENT_INVALID', outcome: 'rejected' });
  for (const alarm of [undefined, null, 5, {}, { memberId: -1 }, { memberId: 'n1' }]) {
    await expect(stores.store(1).disarm(alarm as never)).rejects.toEqual(refused);
  }
});
