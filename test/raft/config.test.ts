import { describe, expect, test } from 'vitest';
import { limits } from '../../src/base/limits.js';
import { Prng } from '../../src/base/prng.js';
import { type RaftOptions, RawNode, raftConfig } from '../../src/raft/index.js';
import { MemberStore } from './member-store.js';

const good: RaftOptions = { id: 1, reader: new MemberStore([1]), random: new Prng(1) };

describe('raft options', () => {
  test('nothing given -> the documented defaults', () => {
    expect(raftConfig(good)).toMatchObject({
      applied: 0,
      electionTicks: 10,
      heartbeatTicks: 1,
      preVote: true,
      checkQuorum: true,
      appendBytesMax: limits.appendBytesMax,
      inflightMessagesMax: limits.inflightMessagesMax,
      inflightBytesMax: Infinity,
      uncommittedBytesMax: limits.uncommittedBytesMax,
      applyBytesMax: limits.applyBytesMax,
    });
  });

  test('something given -> it stands', () => {
    const options = { electionTicks: 3, preVote: false, appendBytesMax: 1, inflightBytesMax: 1 };
    expect(raftConfig({ ...good, ...options })).toMatchObject(options);
  });

  test.each<[string, Partial<RaftOptions>]>([
    ['id', { id: 0 }],
    ['id', { id: -1 }],
    ['id', { id: 1.5 }],
    ['id', { id: 2 ** 53 }],
    ['id', { id: Number.NaN }],
    ['heartbeatTicks', { heartbeatTicks: 0 }],
    ['heartbeatTicks', { heartbeatTicks: 0.5 }],
    ['electionTicks', { electionTicks: 1 }],
    ['electionTicks', { electionTicks: 5, heartbeatTicks: 5 }],
    ['electionTicks', { electionTicks: 10.5 }],
    ['electionTicks', { electionTicks: Infinity }],
    ['inflightMessagesMax', { inflightMessagesMax: 0 }],
    ['inflightMessagesMax', { inflightMessagesMax: Infinity }],
    ['appendBytesMax', { appendBytesMax: -1 }],
    ['applied', { applied: -1 }],
    ['leaseMs', { leaseMs: -1 }],
    ['leaseMs', { leaseMs: Infinity }],
    ['appendBytesMax', { appendBytesMax: Number.NaN }],
    ['uncommittedBytesMax', { uncommittedBytesMax: 0 }],
    // O16: a budget of nothing would stop the member at its first committed entry.
    ['applyBytesMax', { applyBytesMax: 0 }],
    ['inflightBytesMax', { inflightBytesMax: 10, appendBytesMax: 11 }],
    ['inflightBytesMax', { inflightBytesMax: Number.NaN }],
  ])('%s: %j -> OPTIONS_INVALID naming it and what came', (name, bad) => {
    const build = () => new RawNode({ ...good, ...bad });
    const value = Object.values(bad)[0];
    expect(build).toThrow(expect.objectContaining({ code: 'OPTIONS_INVALID' }));
    expect(build).toThrow(new RegExp(`raft: expected ${name} to be .*, got ${value}$`));
  });
});
