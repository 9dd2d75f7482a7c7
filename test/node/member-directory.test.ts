// Names and addresses as a function of the changes: what is kept, what is forgotten, and that it
// survives its encoding. The twin keeps a plain map and a list.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../src/base/limits.js';
import { encodeMemberList, type MemberInfo } from '../../src/codec/member-codec.js';
import { MemberDirectory } from '../../src/node/member-directory.js';

const member = (id: number, more: Partial<MemberInfo> = {}): MemberInfo => ({
  ...{ id, name: `m${id}`, address: `h${id}:1`, promote: false },
  ...more,
});
const newsOf = (...members: MemberInfo[]) => encodeMemberList({ members, removed: [] });

describe('member directory', () => {
  const founded = MemberDirectory.ofFounders([member(3), member(1), member(2)]);

  test('founders -> ascending, found by id and name', () => {
    expect(founded.members.map(({ id }) => id)).toEqual([1, 2, 3]);
    expect(founded.get(2)).toEqual(member(2));
    expect(founded.named('m3')).toEqual(member(3));
    expect(founded.named('m4')).toBeUndefined();
    expect(founded.addresses.get(1)).toBe('h1:1');
  });

  test('a configuration without anything beside it -> members named by their ids', () => {
    const { members, addresses } = MemberDirectory.of({ voters: [7, 5], learners: [6] });
    expect(members.map(({ name }) => name)).toEqual(['5', '6', '7']);
    expect([...addresses]).toEqual([5, 6, 7].map((id) => [id, undefined]));
  });

  test('joint: those that leave are there until it is left, then they are removed', () => {
    const voters = { voters: [1, 2, 4], votersOutgoing: [1, 2, 3] };
    const joint = founded.after(voters, newsOf(member(4)));
    expect(joint.members.map(({ id }) => id)).toEqual([1, 2, 3, 4]);
    expect(joint.removed).toEqual([]);
    const left = joint.after({ voters: [1, 2, 4] }, new Uint8Array(0));
    expect(left.members.map(({ id }) => id)).toEqual([1, 2, 4]);
    expect(left.removed).toEqual([3]);
  });

  test('a learner that is to be promoted -> not any more once it is a voter', () => {
    const news = newsOf(member(4, { promote: true }));
    const learning = founded.after({ voters: [1, 2, 3], learners: [4] }, news);
    expect(learning.get(4)?.promote).toBe(true);
    expect(learning.after({ voters: [1, 2, 3, 4] }, undefined).get(4)?.promote).toBe(false);
  });

  test('more removed than are remembered -> the oldest are forgotten', () => {
    let directory = founded;
    const count = limits.removedMembersMax + 5;
    for (let id = 10; id < 10 + count; id += 1) {
      directory = directory.after({ voters: [1, 2, 3], learners: [id] }, newsOf(member(id)));
    }
    directory = directory.after({ voters: [1, 2, 3] }, undefined);
    expect(directory.removed).toHaveLength(limits.removedMembersMax);
    expect([directory.removed[0], directory.removed.at(-1)]).toEqual([15, 9 + count]);
  });

  test('any changes -> as the twin, and the same behind its encoding', () => {
    const ids = fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 6 });
    const texts = fc.array(fc.tuple(fc.integer({ min: 1, max: 12 }), fc.string({ maxLength: 9 })));
    fc.assert(
      fc.property(fc.array(fc.tuple(ids, texts), { maxLength: 20 }), (changes) => {
        let directory = MemberDirectory.ofFounders([]);
        const twin = new Map<number, string>();
        for (const [voters, told] of changes) {
          const news = told.map(([id, name]) => member(id, { name }));
          directory = directory.after({ voters }, newsOf(...news));
          for (const { id, name } of news) if (voters.includes(id)) twin.set(id, name);
          for (const id of [...twin.keys()]) if (!voters.includes(id)) twin.delete(id);
          for (const id of voters) if (!twin.has(id)) twin.set(id, String(id));
          expect(new Map(directory.members.map(({ id, name }) => [id, name]))).toEqual(twin);
          const context = directory.encode();
          expect(MemberDirectory.of({ voters, context })).toEqual(directory);
        }
      }),
      { numRuns: 100 },
    );
  });
});
