// Alarms in the keyspace: raised once, ended once, and as durable as all else.
import { describe, expect, test } from 'vitest';
import { decodeAlarm, encodeAlarm } from '../../src/mvcc/alarm-record.js';
import { KeyspaceAudit } from '../../src/mvcc/keyspace-audit.js';
import { MemoryEngine } from '../../src/storage/index.js';
import type { KvEngine } from '../../src/storage/kv-engine.js';
import { DrivenKeyspace } from './driven-keyspace.js';

const memory = {
  open: async () => new MemoryEngine(),
  reopen: async (engine: KvEngine) => (engine as MemoryEngine).reopen(),
};
const raise = (member: number) => ({ op: 'alarm', member, isRaised: true }) as const;
const end = (member: number) => ({ op: 'alarm', member, isRaised: false }) as const;

describe('alarms', () => {
  test('raised, raised again, ended, ended again -> told what changed; no revision is taken', async () => {
    const member = await DrivenKeyspace.open(memory);
    const results = await member.run([raise(7), raise(7), end(7), end(7)]);
    const changed = results.map(({ result }) => 'isChanged' in result && result.isChanged);
    expect(changed).toEqual([true, false, true, false]);
    expect(member.keyspace.revision).toBe(1);
    expect(member.keyspace.alarms.list()).toEqual([]);
    await member.close();
  });

  test('a restart -> those that are left, and the records add up', async () => {
    const member = await DrivenKeyspace.open(memory);
    await member.run([raise(7), raise(0), raise(3), end(7), raise(2 ** 53 - 1)]);
    const before = member.keyspace.stateHash;
    await member.flush();
    await member.reopen();
    const { keyspace } = member;
    expect(keyspace.alarms.list().map((alarm) => alarm.member)).toEqual([0, 3, 2 ** 53 - 1]);
    expect(keyspace.stateHash).toBe(before);
    const audit = new KeyspaceAudit();
    for (const [recordKey, bytes] of await member.dump()) audit.add(recordKey, bytes);
    expect(() => audit.end()).not.toThrow();
    expect(audit.counts.alarms).toBe(3);
    await member.close();
  });

  test('who is stopped: the one that is named; all, when nobody is', async () => {
    const member = await DrivenKeyspace.open(memory);
    const stopped = () => [1, 2].map((id) => member.keyspace.alarms.stops(id));
    expect(stopped()).toEqual([false, false]);
    await member.run([raise(2)]);
    expect(stopped()).toEqual([false, true]);
    await member.run([raise(0)]);
    expect(stopped()).toEqual([true, true]);
    await member.run([end(2)]);
    expect(stopped()).toEqual([true, true]);
    await member.close();
  });

  test('a record under another key -> STATE_CORRUPT', () => {
    const bytes = encodeAlarm({ member: 5, index: 9 });
    const corrupt = expect.objectContaining({ code: 'STATE_CORRUPT' });
    expect(() => decodeAlarm('w\0\0\0\0\0\0\0\x06', bytes)).toThrow(corrupt);
    expect(decodeAlarm('w\0\0\0\0\0\0\0\x05', bytes)).toEqual({ member: 5, index: 9 });
  });
});
