// What callers are told about a change of the membership that ends before anybody knows how.
import { describe, expect, test } from 'vitest';
import { Deferred } from '../../src/base/deferred.js';
import { kontikiError } from '../../src/base/errors.js';
import { encodeMembershipAnswer } from '../../src/codec/membership-codec.js';
import { Members, type MembersParts } from '../../src/node/members.js';
import { VirtualTime } from './virtual-time.js';

/** A member whose only question is answered when the test says so. */
function asking() {
  const time = new VirtualTime();
  const answer = new Deferred<Uint8Array>();
  const members = new Members({
    ...{ memberId: 1, clock: time, timers: time },
    questions: { ask: () => answer.promise },
  } as unknown as MembersParts);
  const added = members.add({ name: 'd', address: 'd:1' }, { timeoutMs: 1_000 });
  return { members, answer, added };
}

const closed = kontikiError('CLOSED', 'node: closed');

describe('a change that the leader has begun', () => {
  test.each([0, 1, 2, 3, 4, 5, 6, 7, 8])(
    'closed %d microtasks after the answer -> unknown: it may still be made',
    async (microtasks) => {
      const { members, answer, added } = asking();
      answer.resolve(encodeMembershipAnswer({ status: 'under-way' }));
      for (let n = 0; n < microtasks; n += 1) await Promise.resolve();
      members.close(closed);
      await expect(added).rejects.toMatchObject({ code: 'CLOSED', outcome: 'unknown' });
    },
  );

  test('the leader says not now, closed afterwards -> rejected', async () => {
    const { members, answer, added } = asking();
    answer.resolve(encodeMembershipAnswer({ status: 'again' }));
    for (let n = 0; n < 20; n += 1) await Promise.resolve();
    members.close(closed);
    await expect(added).rejects.toMatchObject({ code: 'CLOSED', outcome: 'rejected' });
  });
});
