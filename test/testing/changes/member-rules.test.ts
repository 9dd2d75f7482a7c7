// C2 and C8 on members that the test itself plays.
import { describe, expect, test } from 'vitest';
import { LostDirectories } from '../../../src/testing/changes/lost-directories.js';
import { MovedMembers } from '../../../src/testing/changes/moved-members.js';
import { RemovedMembers } from '../../../src/testing/changes/removed-members.js';
import { listed, PlayedMachine } from './played-machine.js';

const electionUs = 1_000_000;

function collected() {
  const found: string[] = [];
  return { found, violated: (id: string) => void found.push(id) };
}

describe('a member that applied its own removal', () => {
  function played(role = 'follower') {
    let nowMs = 0;
    const { found, violated } = collected();
    const rule = new RemovedMembers({ nowUs: () => nowMs * 1_000, electionUs, violated });
    const machine = new PlayedMachine('n1', rule);
    machine.role = role;
    machine.open(1);
    machine.step();
    const run = (ms: number) => {
      for (let at = 0; at < ms; at += 100) {
        nowMs += 100;
        machine.step();
      }
    };
    const skip = (ms: number) => {
      nowMs += ms;
    };
    return { found, machine, run, skip };
  }

  test('goes on -> C2', () => {
    const { found, machine, run } = played();
    machine.configure(7, listed({ 2: 'b' }, { removed: [1] }));
    machine.apply(6);
    run(500);
    expect(found).toEqual([]);
    machine.apply(7);
    run(100);
    expect(found).toEqual(['C2']);
  });

  test('as the leader -> goes on for a while, in which it is there', () => {
    const { found, machine, run, skip } = played('leader');
    machine.role = 'follower';
    machine.configure(7, listed({ 2: 'b' }, { removed: [1] }));
    machine.apply(7);
    run(3_000);
    skip(60_000);
    run(900);
    expect(found).toEqual([]);
    run(200);
    expect(found).toContain('C2');
  });

  test('has another id since, or another was removed -> nothing', () => {
    const { found, machine, run } = played();
    machine.configure(7, listed({ 1: 'a' }, { removed: [2] }));
    machine.apply(7);
    run(9_000);
    machine.configure(8, listed({ 2: 'b' }, { removed: [1] }));
    machine.apply(8);
    machine.open(9);
    run(9_000);
    expect(found).toEqual([]);
  });
});

describe('a member that moved', () => {
  const learner = { learners: [2] };

  test.each([
    ['and votes', learner, {}, ['C8']],
    ['and votes no more', {}, learner, ['C8']],
    ['and is what it was', learner, learner, []],
  ])('%s', (_, before, after, expected) => {
    const { found, violated } = collected();
    const machine = new PlayedMachine('n1', new MovedMembers({ violated }));
    machine.open(1, 'a', listed({ 1: 'a', 2: 'b' }, before));
    machine.configure(5, listed({ 1: 'a', 2: 'c' }, after));
    expect(found).toEqual(expected);
  });

  test('and votes later, as somebody tells who is behind -> nothing', () => {
    const { found, violated } = collected();
    const rule = new MovedMembers({ violated });
    const [first, second] = ['n1', 'n2'].map((name) => new PlayedMachine(name, rule));
    first?.open(1, 'a', listed({ 1: 'a', 2: 'b' }, learner));
    first?.configure(5, listed({ 1: 'a', 2: 'c' }, learner));
    first?.configure(6, listed({ 1: 'a', 2: 'c' }));
    second?.configure(5, listed({ 1: 'a', 2: 'c' }, learner));
    expect(found).toEqual([]);
  });
});

describe('a directory that was lost', () => {
  function group() {
    const { found, violated } = collected();
    const rule = new LostDirectories({ violated });
    const [first, second] = ['n1', 'n2'].map((name) => new PlayedMachine(name, rule)) as [
      PlayedMachine,
      PlayedMachine,
    ];
    first.open(1, 'a');
    second.open(2, 'b');
    return { found, first, second };
  }

  test('another comes under its id, and is taken by one that met it -> C2', () => {
    const { found, first, second } = group();
    first.hear(2);
    second.open(2, 'c');
    second.step();
    expect(found).toEqual([]);
    second.linkedTo = ['n1'];
    second.step();
    expect(found).toEqual(['C2']);
  });

  test('or by one that never met it, or has lost its own -> nothing', () => {
    const { found, first, second } = group();
    second.open(2, 'c');
    second.linkedTo = ['n1'];
    second.step();
    first.hear(2);
    first.open(4, 'd');
    second.open(2, 'e');
    second.step();
    expect(found).toEqual([]);
  });
});
