// V6 on a leader that the test itself plays.
import { describe, expect, test } from 'vitest';
import type { RawNode } from '../../../src/raft/raw-node.js';
import type { StorageAppend } from '../../../src/raft/ready.js';
import { StalledLeaders } from '../../../src/testing/run/stalled-leaders.js';
import { assertingObserver, type SimMachine } from '../../../src/testing/sim-machine.js';

const electionMs = 1_000;
const write = {} as StorageAppend;

function played(matches: readonly [number, number] = [9, 9]) {
  let nowMs = 0;
  const found: string[] = [];
  const machine = {
    name: 'n1',
    observer: { ...assertingObserver, stepped: (_raft: RawNode) => undefined },
  };
  const leaders = new StalledLeaders({
    nowUs: () => nowMs * 1_000,
    electionUs: electionMs * 1_000,
    violated: (id) => found.push(id),
  });
  leaders.observe(machine as unknown as SimMachine);
  const raft = {
    role: 'leader',
    status: () => ({
      ...{ id: 1, durableIndex: 4, voters: [1, 2, 3], configuration: { votersOutgoing: [] } },
      progress: [1, 2, 3].map((id) => ({ id, match: id === 1 ? 9 : matches[id - 2] })),
    }),
  };
  const step = (ms: number) => {
    nowMs += ms;
    machine.observer.stepped(raft as unknown as RawNode);
  };
  const run = (ms: number) => {
    for (let at = 0; at < ms; at += 100) step(100);
  };
  const { observer } = machine;
  return { found, raft, run, step, observer };
}

describe('a leader whose log stalls', () => {
  test('stays for longer than it may -> V6', () => {
    const { found, observer, run } = played();
    observer.writing(write);
    run(4_500);
    expect(found).toEqual([]);
    run(200);
    expect(found).toContain('V6');
  });

  test('leads no more, or is done in time -> nothing', () => {
    const gone = played();
    gone.observer.writing(write);
    gone.run(4_400);
    gone.raft.role = 'follower';
    gone.run(9_000);
    const done = played();
    for (let at = 0; at < 5; at += 1) {
      done.observer.writing(write);
      done.run(4_000);
      done.observer.written(write);
    }
    expect([gone.found, done.found]).toEqual([[], []]);
  });

  test('as the logs of the others do -> nothing', () => {
    const { found, observer, run } = played([9, 4]);
    observer.writing(write);
    run(20_000);
    expect(found).toEqual([]);
  });

  test('while it is away -> that time does not count', () => {
    const { found, observer, run, step } = played();
    observer.writing(write);
    run(4_000);
    step(60_000);
    run(1_000);
    expect(found).toEqual([]);
  });
});
