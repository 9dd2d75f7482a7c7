// Questions to the leader: each is answered or refused, nothing is left waiting.
import { describe, expect, test } from 'vitest';
import { type KontikiError, kontikiError } from '../../src/base/errors.js';
import type { AskRequest, AskResponse, WireMessage } from '../../src/codec/wire-message.js';
import { Questions } from '../../src/node/questions.js';
import { Cluster } from './cluster.js';
import { VirtualTime } from './virtual-time.js';

const bytes = (...units: number[]) => Uint8Array.from(units);
const failsWith = async (call: () => Promise<unknown>, code: string) => {
  await expect((async () => call())()).rejects.toMatchObject({ code });
};

function member(raft: { leader: number; role: string; term: number }, canReach = true) {
  const time = new VirtualTime();
  const sent: WireMessage[] = [];
  const questions = new Questions({
    ...{ memberId: 1, life: 2 ** 52, raft, clock: time },
    transport: { send: (message) => void sent.push(message) },
    canReachLeader: () => canReach,
    onSent: () => undefined,
    answerMembership: async (data) => Uint8Array.of(77, ...data),
    relayMembership: async (data) => Uint8Array.of(88, ...data),
  });
  return { questions, sent, time };
}
const follower = { leader: 2, role: 'follower', term: 5 };
const leader = { leader: 1, role: 'leader', term: 5 };
const request: AskRequest = { kind: 'ask-request', from: 3, to: 1, term: 5, id: 9, data: bytes(1) };
const responseTo = ({ from, to, term, id }: AskRequest, data?: Uint8Array): AskResponse => {
  const envelope = { kind: 'ask-response', from: to, to: from, term, id } as const;
  return data === undefined ? envelope : { ...envelope, data };
};

describe('asking', () => {
  test('a follower asks its leader; the answer settles the question it names', async () => {
    const { questions, sent } = member(follower);
    const calls = [questions.ask(bytes(1)), questions.ask(bytes(2))];
    expect(sent).toMatchObject([
      { kind: 'ask-request', from: 1, to: 2, term: 5, data: bytes(1) },
      { kind: 'ask-request', from: 1, to: 2, term: 5, data: bytes(2) },
    ]);
    const [first, second] = sent as AskRequest[];
    questions.onResponse(responseTo(second!, bytes(20)));
    questions.onResponse(responseTo(first!, bytes(10)));
    questions.onResponse(responseTo(first!, bytes(11)));
    expect(await Promise.all(calls)).toEqual([bytes(10), bytes(20)]);
  });

  test('about the membership -> marked on its way, and the driver answers', async () => {
    const { questions, sent } = member(follower);
    const call = questions.ask(bytes(1), true);
    const [asked] = sent as AskRequest[];
    expect(asked).toMatchObject({ membership: true });
    const there = member(leader);
    there.questions.answerWith(async () => bytes(0));
    there.questions.onRequest(asked!);
    await Promise.resolve();
    questions.onResponse(there.sent[0] as AskResponse);
    expect(await call).toEqual(bytes(77, 1));
    expect(await there.questions.ask(bytes(2), true)).toEqual(bytes(77, 2));
    expect(await there.questions.ask(bytes(2))).toEqual(bytes(0));
  });

  test('no leader, or none that can be reached -> NO_LEADER, nothing is sent', async () => {
    for (const { questions, sent } of [
      member({ ...follower, leader: 0 }),
      member(follower, false),
    ]) {
      await failsWith(() => questions.ask(bytes(1)), 'NO_LEADER');
      expect(sent).toEqual([]);
    }
  });

  test('a refusal, a new leader -> LEADER_CHANGED; no answer -> TIMEOUT; close -> CLOSED', async () => {
    const { questions, sent, time } = member(follower);
    const refused = questions.ask(bytes(1));
    questions.onResponse(responseTo(sent[0] as AskRequest));
    await failsWith(() => refused, 'LEADER_CHANGED');
    const left = questions.ask(bytes(1));
    questions.leaderChanged();
    await failsWith(() => left, 'LEADER_CHANGED');
    const lost = questions.ask(bytes(1));
    await time.run(9_999);
    questions.sweep();
    await time.run(2);
    questions.sweep();
    await failsWith(() => lost, 'TIMEOUT');
    const open = questions.ask(bytes(1));
    questions.close(kontikiError('CLOSED', 'closed'));
    await failsWith(() => open, 'CLOSED');
    await failsWith(() => questions.ask(bytes(1)), 'CLOSED');
  });

  test('no answer for seconds -> sent again beside it, less and less often, and the first answer counts', async () => {
    const { questions, sent, time } = member(follower);
    const asked = questions.ask(bytes(1));
    for (let ms = 0; ms < 9_000; ms += 100) {
      await time.run(100);
      questions.sweep();
    }
    expect(sent).toHaveLength(3);
    expect(sent.every((message) => message === sent[0])).toBe(true);
    questions.onResponse(responseTo(sent[0] as AskRequest, bytes(10)));
    questions.onResponse(responseTo(sent[0] as AskRequest, bytes(11)));
    expect(await asked).toEqual(bytes(10));
    await time.run(60_000);
    questions.sweep();
    expect(sent).toHaveLength(3);
  });

  test('about the membership, no answer for seconds -> not sent again, but refused: who asks has to know', async () => {
    const { questions, sent, time } = member(follower);
    const asked = questions.ask(bytes(1), true);
    await time.run(1_999);
    questions.sweep();
    await time.run(1);
    questions.sweep();
    await failsWith(() => asked, 'TIMEOUT');
    expect(sent).toHaveLength(1);
  });

  test('a refusal about the membership -> nothing was done, which it says', async () => {
    const { questions, sent } = member(follower);
    for (const [membership, outcome] of [
      [true, 'rejected'],
      [false, undefined],
    ] as const) {
      const asked = questions.ask(bytes(1), membership);
      questions.onResponse(responseTo(sent.at(-1) as AskRequest));
      const error = await asked.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'LEADER_CHANGED' });
      expect((error as KontikiError).outcome).toBe(outcome);
    }
  });

  test('more than may wait -> OVERLOADED', async () => {
    const { questions } = member(follower);
    const open = Array.from({ length: 10_000 }, () => questions.ask(bytes(1)));
    for (const each of open) each.catch(() => undefined);
    await failsWith(() => questions.ask(bytes(1)), 'OVERLOADED');
    questions.leaderChanged();
  });
});

describe('answering', () => {
  test('the leader answers; one that cannot say, or does not lead, refuses', async () => {
    const { questions, sent } = member(leader);
    questions.onRequest(request);
    questions.answerWith(async ([unit]) => {
      if (unit === 7) throw new Error('cannot say');
      return bytes(unit! + 1);
    });
    questions.onRequest(request);
    questions.onRequest({ ...request, data: bytes(7) });
    await Promise.resolve();
    await Promise.resolve();
    await Promise.resolve();
    expect(sent).toEqual([responseTo(request), responseTo(request, bytes(2)), responseTo(request)]);
    const other = member(follower);
    other.questions.answerWith(async () => bytes(1));
    other.questions.onRequest(request);
    expect(other.sent).toEqual([responseTo(request)]);
  });

  test('about the membership, of one that does not lead: passed on; other questions are refused', async () => {
    const { questions, sent } = member(follower);
    questions.answerWith(async () => bytes(1));
    questions.onRequest({ ...request, membership: true });
    questions.onRequest({ ...request, id: 10 });
    await new Promise((resolve) => setImmediate(resolve));
    const asked = { ...request, id: 10 };
    expect(sent).toEqual([responseTo(asked), responseTo(request, bytes(88, 1))]);
  });

  test('one that may know who leads: asked whoever leads here; its answer settles the question', async () => {
    const { questions, sent } = member({ leader: 0, role: 'follower', term: 5 }, false);
    const answer = questions.askThrough(3, bytes(4));
    expect(sent).toMatchObject([{ kind: 'ask-request', to: 3, membership: true, data: bytes(4) }]);
    questions.onResponse(responseTo(sent[0] as AskRequest, bytes(5)));
    expect(await answer).toEqual(bytes(5));
  });

  test('an answer that comes after the close is not sent', async () => {
    const { questions, sent } = member(leader);
    questions.answerWith(async () => bytes(1));
    questions.onRequest(request);
    questions.close(kontikiError('CLOSED', 'closed'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(sent).toEqual([]);
  });
});

describe('members', () => {
  test('any member asks: the one that leads answers', async () => {
    const cluster = await Cluster.led();
    for (const id of cluster.ids) cluster.node(id).answerWith(async () => bytes(id));
    const led = await cluster.elect();
    for (const id of cluster.ids) {
      expect(await cluster.time.settle(cluster.node(id).ask(bytes(0)))).toEqual(bytes(led));
    }
    await cluster.close();
  });

  test('a member is restarted, its old question answered late -> that answers no new one', async () => {
    const cluster = await Cluster.led();
    const led = await cluster.elect();
    const [other] = cluster.followers(led);
    const answers: ((answer: Uint8Array) => void)[] = [];
    const asked = (count: number) => cluster.time.until(() => answers.length === count);
    cluster.node(led).answerWith(() => new Promise((resolve) => answers.push(resolve)));
    cluster
      .node(other)
      .ask(bytes(0))
      .catch(() => undefined);
    await asked(1);
    const restarted = await cluster.restart(other);
    await cluster.elect();
    const call = restarted.ask(bytes(0));
    await asked(2);
    answers[0]?.(bytes(1));
    await cluster.time.run(100);
    answers[1]?.(bytes(2));
    expect(await cluster.time.settle(call)).toEqual(bytes(2));
    await cluster.close();
  });

  test('a proposal of an own term: taken by the leader of that term alone', async () => {
    const cluster = await Cluster.led();
    const led = await cluster.elect();
    const [other] = cluster.followers(led);
    const { leadTerm } = cluster.node(led);
    expect(leadTerm).toBeGreaterThan(0);
    expect(cluster.node(other).leadTerm).toBe(0);
    const propose = (id: number, ownTerm: number) =>
      cluster.time.settle(
        cluster.node(id).propose(() => bytes(1, 2, 3), { timeoutMs: 1_000, ownTerm }),
      );
    const refused = { code: 'LEADER_CHANGED', outcome: 'rejected' };
    await expect(propose(other, leadTerm)).rejects.toMatchObject(refused);
    await expect(propose(led, leadTerm + 1)).rejects.toMatchObject(refused);
    await expect(propose(led, leadTerm - 1)).rejects.toMatchObject(refused);
    expect(cluster.node(led).status.pendingProposals).toBe(0);
    await cluster.close();
  });
});
