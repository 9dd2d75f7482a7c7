// What callers are told about a change of the membership that ends before anybody knows how.
import { describe, expect, test } from 'vitest';
import { Deferred } from '../../src/base/deferred.js';
import { kontikiError } from '../../src/base/errors.js';
import {
  decodeMembershipQuestion,
  encodeMembershipAnswer,
} from '../../src/codec/membership-codec.js';
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

test('asked of a member that is closed -> rejected, and says so', async () => {
  const { members, added } = asking();
  added.catch(() => undefined);
  members.close(closed);
  const call = members.remove(2, { timeoutMs: 1_000 });
  await expect(call).rejects.toMatchObject({ code: 'CLOSED', outcome: 'rejected' });
});

/** A member whose questions are answered as the test says, one after the other; then never. */
function askingFor(
  call: (members: Members) => Promise<unknown>,
  answers: readonly (Uint8Array | Error)[],
) {
  const time = new VirtualTime();
  const retries: boolean[] = [];
  const ask = async (question: Uint8Array) => {
    const decoded = decodeMembershipQuestion(question);
    if (decoded.kind === 'change') retries.push(decoded.isRetry);
    const answer = answers[retries.length - 1];
    if (answer instanceof Error) throw answer;
    return answer ?? new Promise<Uint8Array>(() => undefined);
  };
  const parts = { memberId: 1, clock: time, timers: time, questions: { ask } };
  const members = new Members(parts as unknown as MembersParts);
  return { called: call(members), retries, time };
}

describe('a question that is asked again', () => {
  const timeoutMs = 1_000;
  const add = (members: Members) => members.add({ name: 'd', address: 'd:1' }, { timeoutMs });

  test.each([
    ['was turned away', { outcome: 'rejected' } as const, false],
    ['may have been heard', {}, true],
  ])('since it %s -> whether it may be done already', async (_, fields, isRetry) => {
    const lost = kontikiError('LEADER_CHANGED', 'node: the member asked does not lead', fields);
    const { called, retries, time } = askingFor(add, [lost]);
    called.catch(() => undefined);
    await time.run(100);
    expect(retries).toEqual([false, isRetry]);
    await time.run(timeoutMs);
    await expect(called).rejects.toMatchObject({ code: 'TIMEOUT' });
  });

  test('leadership is on its way to another when time is over -> unknown: it may still arrive', async () => {
    const again = encodeMembershipAnswer({ status: 'again' });
    const { called, time } = askingFor(
      (members) => members.transferLeadership(2, { timeoutMs }),
      Array.from({ length: 100 }, () => again),
    );
    called.catch(() => undefined);
    await time.run(2 * timeoutMs);
    await expect(called).rejects.toMatchObject({ code: 'TIMEOUT', outcome: 'unknown' });
  });
});
