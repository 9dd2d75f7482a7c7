/**
 * What every transport must do, whatever moves the bytes (docs/api/transport.md). What is hostile on a
 * wire is each transport's own to test.
 */
import { assert } from '../../base/assert.js';
import { Deferred } from '../../base/deferred.js';
import { type ErrorCode, kontikiError } from '../../base/errors.js';
import type { WireMessage } from '../../codec/wire-message.js';
import { checkRejects, checkSame, patternBytes } from './check.js';
import { registerSuite, type SuiteOptions, type SuiteTest } from './suite.js';
import {
  begin,
  type TransportMember,
  type TransportNetwork,
  TransportStage,
  testHeartbeat,
  testIdentity,
} from './transport-rig.js';
import { wireSamples } from './wire-samples.js';

type Cases = Readonly<Record<string, (stage: TransportStage) => Promise<void>>>;

/**
 * Registers the tests of the Transport contract.
 *
 * @param options - a factory of networks; `crash` of a rig is not used
 * @throws {KontikiError} ASSERTION, when a test that is to be skipped does not exist or has no reason
 * @since 0.1.0
 * @example transportSuite({ runner: { describe, test }, name: 'mine', factory: () => new MyRig() });
 */
export function transportSuite(options: SuiteOptions<TransportNetwork>): void {
  const cases: Cases = { ...delivery, ...links, ...members, ...admission, ...probe, ...life };
  const tests: Record<string, SuiteTest<TransportNetwork>> = {};
  for (const [name, body] of Object.entries(cases)) {
    tests[name] = async (bench) => body(await TransportStage.on(bench));
  }
  registerSuite(options, tests);
}

function sendAll({ transport }: TransportMember, messages: readonly WireMessage[]): void {
  for (const message of messages) transport.send(message);
  transport.flush();
}

async function untilReceived(stage: TransportStage, to: TransportMember, count: number) {
  await stage.until(() => to.owner.messages.length >= count, `${count} messages arrive`);
}

const isOfSnapshot = ({ kind }: WireMessage): boolean => kind === 'snapshot-chunk';

const delivery: Cases = {
  'delivery: a thousand messages over many flushes -> all of them, in order': async (stage) => {
    const { one, two } = await stage.startPair();
    const sent = Array.from({ length: 1_000 }, (_, n) => testHeartbeat(1, 2, n));
    for (let at = 0; at < sent.length; at += 7) sendAll(one, sent.slice(at, at + 7));
    await untilReceived(stage, two, sent.length);
    checkSame(two.owner.messages, sent, 'messages');
  },

  'delivery: messages of every kind -> equal, and no object shared': async (stage) => {
    const { one, two } = await stage.startPair();
    const all = Object.values(wireSamples).map((each) => ({ ...each, from: 1, to: 2 }));
    const sent = all.filter((message) => !isOfSnapshot(message));
    sendAll(one, sent);
    await untilReceived(stage, two, sent.length);
    checkSame(two.owner.messages, sent, 'messages');
    const isShared = two.owner.messages.some((message) => sent.includes(message));
    assert(!isShared, 'what arrives is not the object that was sent');
  },

  'delivery: a chunk of a snapshot, sent again until it arrives -> equal': async (stage) => {
    const { one, two } = await stage.startPair();
    const chunk = { ...(wireSamples['snapshot-chunk'] as WireMessage), from: 1, to: 2 };
    const arrived = () => {
      sendAll(one, [chunk]);
      return two.owner.messages.some(isOfSnapshot);
    };
    await stage.until(arrived, 'a chunk arrives');
    checkSame(two.owner.messages[0], chunk, 'chunk');
  },

  'delivery: messages of 1 MiB among small ones -> in order, undamaged': async (stage) => {
    const { one, two } = await stage.startPair();
    const sent = [1, 1 << 20, 0, 9_000, 1 << 20, 12].map((size, id) => ({
      ...{ kind: 'forward-request' as const, from: 1, to: 2, term: 1, id },
      commands: [patternBytes(size, id)],
    }));
    sendAll(one, sent);
    await untilReceived(stage, two, sent.length);
    checkSame(two.owner.messages, sent, 'messages');
  },

  'delivery: three members -> everybody hears everybody, and only what is meant for it': async (
    stage,
  ) => {
    const all = await stage.start(1, 2, 3);
    for (const { owner } of all) {
      await stage.until(() => owner.links.length === 2, 'two links stand');
    }
    all.forEach((member, at) => {
      sendAll(
        member,
        [1, 2, 3].filter((to) => to !== at + 1).map((to) => testHeartbeat(at + 1, to, 0)),
      );
    });
    for (const [at, member] of all.entries()) {
      await untilReceived(stage, member, 2);
      const ends = member.owner.messages.map(({ from, to }) => `${from} to ${to}`).sort();
      const others = [1, 2, 3].filter((from) => from !== at + 1);
      checkSame(
        ends,
        others.map((from) => `${from} to ${at + 1}`),
        'ends',
      );
    }
  },

  'delivery: before the link stands, and to strangers -> dropped without a word': async (stage) => {
    const [one, two] = (await stage.start(1, 2)) as [TransportMember, TransportMember];
    sendAll(one, [testHeartbeat(1, 2, 111), testHeartbeat(1, 99, 222), testHeartbeat(1, 1, 333)]);
    await stage.until(() => one.owner.isUp(2), 'the link stands');
    sendAll(one, [testHeartbeat(1, 2, 444)]);
    await untilReceived(stage, two, 1);
    checkSame(two.owner.messages, [testHeartbeat(1, 2, 444)], 'messages');
  },
};

const links: Cases = {
  'links: a peer that closes and comes back -> down, up, and messages arrive again': async (
    stage,
  ) => {
    const { one, two } = await stage.startPair();
    await stage.run(two.transport.close());
    await stage.until(() => !one.owner.isUp(2), 'the link falls');
    sendAll(one, [testHeartbeat(1, 2, 1)]);
    const again = begin(await stage.make(2), 2);
    await stage.until(() => one.owner.isUp(2), 'the link stands again');
    sendAll(one, [testHeartbeat(1, 2, 2)]);
    await untilReceived(stage, again, 1);
    checkSame(again.owner.messages, [testHeartbeat(1, 2, 2)], 'messages');
    checkSame(one.owner.links, ['2 up', '2 down', '2 up'], 'links');
    await stage.until(() => again.owner.isUp(1), 'the link back stands');
  },

  'links: a peer that is not there yet -> told once, and the link rises when it comes': async (
    stage,
  ) => {
    const [one, two] = [await stage.make(1), await stage.make(2)];
    await stage.run(two.close());
    const { owner } = begin(one, 1);
    begin(await stage.make(3), 3);
    await stage.until(() => owner.links.includes('2 down') || owner.isUp(3), 'something is told');
    begin(await stage.make(2), 2);
    await stage.until(() => owner.isUp(2), 'the link stands');
    const ofTwo = owner.links.filter((link) => link.startsWith('2'));
    checkSame(ofTwo.at(-1), '2 up', 'last');
    assert(ofTwo.length <= 2, `told of each change only: ${ofTwo.join(', ')}`);
  },

  'links: a peer that listens but has not started -> the link rises when it does': async (
    stage,
  ) => {
    const [one, two] = [await stage.make(1), await stage.make(2)];
    const { owner } = begin(one, 1);
    assert(!owner.isUp(2), 'nobody answers before it starts');
    const { owner: ofTwo } = begin(two, 2);
    await stage.until(() => owner.isUp(2), 'the link stands');
    checkSame(ofTwo.admitted[0], { peer: testIdentity(1), probe: false }, 'admitted');
  },
};

const members: Cases = {
  'members: one that is not listed any more -> its links end both ways, nothing passes': async (
    stage,
  ) => {
    const [one, two, three] = (await stage.start(1, 2, 3)) as [
      TransportMember,
      TransportMember,
      TransportMember,
    ];
    for (const { owner } of [one, two, three]) {
      await stage.until(() => owner.links.length === 2, 'two links stand');
    }
    const listed = (...ids: number[]) => new Map(ids.map((id) => [id, undefined]));
    one.transport.updatePeers(listed(1, 2, 3));
    one.owner.decide = ({ memberId }) =>
      memberId === 2 ? Promise.reject(kontikiError('MEMBER_UNKNOWN', 'gone')) : Promise.resolve();
    one.transport.updatePeers(listed(1, 3));
    await stage.until(() => !two.owner.isUp(1), 'the link of the one that is gone falls');
    sendAll(one, [testHeartbeat(1, 2, 1), testHeartbeat(1, 3, 2)]);
    sendAll(two, [testHeartbeat(2, 1, 3), testHeartbeat(2, 3, 4)]);
    await untilReceived(stage, three, 2);
    sendAll(three, [testHeartbeat(3, 1, 5), testHeartbeat(3, 2, 6)]);
    await untilReceived(stage, one, 1);
    await untilReceived(stage, two, 1);
    checkSame(one.owner.messages, [testHeartbeat(3, 1, 5)], 'messages of one that stays');
    checkSame(two.owner.messages, [testHeartbeat(3, 2, 6)], 'messages of the one that is gone');
  },
};

const admission: Cases = {
  'admission: owner still deciding -> no link; owner agrees -> link': async (stage) => {
    const [one, two] = [await stage.make(1), await stage.make(2)];
    const decision = new Deferred<void>();
    const { owner: ofTwo } = begin(two, 2, () => decision.promise);
    const { owner: ofOne } = begin(one, 1);
    await stage.until(() => ofTwo.admitted.length > 0, 'the peer presents itself');
    assert(!ofOne.isUp(2), 'no link before the owner decided');
    decision.resolve();
    await stage.until(() => ofOne.isUp(2), 'the link stands');
    checkSame(ofTwo.admitted[0], { peer: testIdentity(1), probe: false }, 'admitted');
  },

  'admission: owner rejects with MEMBER_IDENTITY_CHANGED -> told, tried again until accepted': (
    stage,
  ) => refused(stage, 'MEMBER_IDENTITY_CHANGED'),

  'admission: owner rejects with MEMBER_UNKNOWN -> told, tried again until accepted': (stage) =>
    refused(stage, 'MEMBER_UNKNOWN'),

  'admission: owner fails to decide -> tried again, no refusal': async (stage) => {
    const [one, two] = [await stage.make(1), await stage.make(2)];
    const { owner: ofTwo } = begin(two, 2, () => Promise.reject(kontikiError('STORAGE_IO', 'x')));
    const { owner: ofOne } = begin(one, 1);
    await stage.until(() => ofTwo.admitted.length >= 2, 'the peer tries again');
    ofTwo.decide = () => Promise.resolve();
    await stage.until(() => ofOne.isUp(2), 'the link stands');
    checkSame(ofOne.refusals, [], 'refusals');
  },

  'admission: a member of another cluster -> CLUSTER_MISMATCH on both sides': async (stage) => {
    const [one, two] = [await stage.make(1), await stage.make(2)];
    const { owner: ofOne } = begin(one, 1);
    const stranger = begin(two, 2, undefined, 78).owner;
    const all = [ofOne, stranger];
    await stage.until(() => all.every(({ refusals }) => refusals.length > 0), 'both are refused');
    checkSame(ofOne.refusals[0], '2 CLUSTER_MISMATCH', 'refusal');
    checkSame(stranger.refusals[0], '1 CLUSTER_MISMATCH', 'refusal');
    checkSame([...ofOne.admitted, ...stranger.admitted], [], 'admitted');
  },

  'admission: another member behind the address, or oneself -> MEMBER_UNKNOWN': async (stage) => {
    const [one, two] = [await stage.make(1), await stage.make(2)];
    assert(stage.network.misdirect !== undefined, 'no misdirect(): skip this test with a reason');
    stage.network.misdirect(3, 2);
    stage.network.misdirect(4, 1);
    const { owner } = begin(one, 1);
    begin(two, 2);
    await stage.until(() => new Set(owner.refusals).size === 2, 'both refuse');
    const refusals = [...new Set(owner.refusals)].sort();
    checkSame(refusals, ['3 MEMBER_UNKNOWN', '4 MEMBER_UNKNOWN'], 'refusals');
    await stage.until(() => owner.isUp(2), 'the right link stands');
  },
};

async function refused(
  stage: TransportStage,
  code: 'MEMBER_IDENTITY_CHANGED' | 'MEMBER_UNKNOWN',
): Promise<void> {
  const [one, two] = [await stage.make(1), await stage.make(2)];
  const ofTwo = begin(two, 2, () => Promise.reject(kontikiError(code, 'another directory'))).owner;
  const member = begin(one, 1);
  const { owner: ofOne } = member;
  await stage.until(() => ofOne.refusals.length >= 2, 'the peer refuses again');
  sendAll(member, [testHeartbeat(1, 2, 1)]);
  checkSame([...new Set(ofOne.refusals)], [`2 ${code}`], 'refusals');
  checkSame(ofOne.links, ['2 down'], 'links');
  ofTwo.decide = () => Promise.resolve();
  await stage.until(() => ofOne.isUp(2), 'the link stands');
  checkSame(ofTwo.messages, [], 'messages');
}

const probe: Cases = {
  'probe: a peer that would take us -> resolves, and the peer was only asked': async (stage) => {
    const { one, owner } = await probing(stage, () => Promise.resolve());
    await stage.run(one.probe(testIdentity(1)));
    checkSame(owner.admitted, [{ peer: testIdentity(1), probe: true }], 'admitted');
    checkSame(owner.messages, [], 'messages');
  },

  'probe: a peer that remembers another directory -> MEMBER_IDENTITY_CHANGED': async (stage) => {
    const { one } = await probing(stage, rejectsWith('MEMBER_IDENTITY_CHANGED'));
    await probeFails(stage, one, 'MEMBER_IDENTITY_CHANGED');
  },

  'probe: peers that disagree -> the refusal that explains most': async (stage) => {
    const { one } = await probing(stage, rejectsWith('MEMBER_UNKNOWN'));
    begin(await stage.make(3), 3, rejectsWith('MEMBER_IDENTITY_CHANGED'));
    begin(await stage.make(4), 4);
    await probeFails(stage, one, 'MEMBER_IDENTITY_CHANGED');
  },

  'probe: a peer of another cluster -> CLUSTER_MISMATCH': async (stage) => {
    const [one, two] = [await stage.make(1), await stage.make(2)];
    begin(two, 2, undefined, 78);
    await probeFails(stage, one, 'CLUSTER_MISMATCH');
  },

  'probe: peers that are gone or have not started -> resolves': async (stage) => {
    const one = await stage.make(1);
    await stage.make(2);
    await stage.run((await stage.make(3)).close());
    await stage.run(one.probe(testIdentity(1)));
  },
};

/** Member 1, not started, and member 2, which decides on whoever presents itself. */
async function probing(stage: TransportStage, decide: () => Promise<void>) {
  const [one, two] = [await stage.make(1), await stage.make(2)];
  return { one, owner: begin(two, 2, decide).owner };
}

function rejectsWith(code: 'MEMBER_IDENTITY_CHANGED' | 'MEMBER_UNKNOWN'): () => Promise<void> {
  return () => Promise.reject(kontikiError(code, 'was 0123'));
}

function probeFails(stage: TransportStage, one: TransportMember['transport'], code: ErrorCode) {
  return checkRejects(() => stage.run(one.probe(testIdentity(1))), [code], 'probe');
}

const life: Cases = {
  'life: an address that is taken -> PORT_IN_USE': async (stage) => {
    await stage.make(1);
    await checkRejects(() => stage.make(1), ['PORT_IN_USE'], 'listen');
  },

  'life: close, twice, and in every state -> settles; send after it -> nothing': async (stage) => {
    const { one, two } = await stage.startPair();
    const never = await stage.make(3);
    const closing = [one.transport.close(), one.transport.close(), never.close()];
    await stage.run(Promise.all(closing));
    sendAll(one, [testHeartbeat(1, 2, 1)]);
    await stage.until(() => !two.owner.isUp(1), 'the peer notices');
    await stage.run(two.transport.close());
    checkSame(two.owner.messages, [], 'messages');
    checkSame(one.owner.links, ['2 up'], 'links');
  },
};
