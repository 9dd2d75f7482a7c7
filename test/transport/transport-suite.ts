/** What every transport must do, whatever moves the bytes. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Deferred } from '../../src/base/deferred.js';
import { kontikiError } from '../../src/base/errors.js';
import { wireMessages } from '../codec/wire-samples.js';
import { heartbeat, identityOf, Recorder, until } from './recorder.js';
import { Stage, type TransportWorld } from './stage.js';

type Cases = Readonly<Record<string, (stage: Stage) => Promise<void>>>;

export function transportSuite(name: string, newWorld: () => TransportWorld): void {
  describe.each(Object.entries({ delivery, links, admission, probe, life }))(
    `${name}: contract: %s`,
    (_section, cases) => {
      let stage: Stage;
      beforeEach(() => {
        stage = new Stage(newWorld());
      });
      afterEach(() => stage.world.end());
      test.each(Object.keys(cases))('%s', (situation) => cases[situation]!(stage));
    },
  );
}

const delivery: Cases = {
  'a thousand messages over many flushes -> all of them, in order': async (stage) => {
    const { one, ofOne, ofTwo } = await stage.startPair();
    await ofOne.untilUp(2);
    for (let n = 0; n < 1000; n += 1) {
      one.send(heartbeat(1, 2, n));
      if (n % 7 === 0) one.flush();
    }
    one.flush();
    await ofTwo.untilReceived(1000);
    const expected = Array.from({ length: 1000 }, (_, n) => heartbeat(1, 2, n));
    expect(ofTwo.messages).toEqual(expected);
  },

  'messages of every kind -> equal, and no object shared': async (stage) => {
    const { one, ofOne, ofTwo } = await stage.startPair();
    await ofOne.untilUp(2);
    const sent = fc
      .sample(wireMessages, { numRuns: 300, seed: 7 })
      .map((message) => ({ ...message, from: 1, to: 2 }) as typeof message);
    for (const message of sent) one.send(message);
    one.flush();
    await ofTwo.untilReceived(300);
    expect(ofTwo.messages).toEqual(sent);
    expect(ofTwo.messages.some((message) => sent.includes(message))).toBe(false);
  },

  'messages of 1 MiB among small ones -> in order, undamaged': async (stage) => {
    const { one, ofOne, ofTwo } = await stage.startPair();
    await ofOne.untilUp(2);
    const sent = [1, 1 << 20, 0, 9_000, 1 << 20, 12].map((size, id) => ({
      ...{ kind: 'forward-request' as const, from: 1, to: 2, term: 1, id },
      commands: [new Uint8Array(size).fill(id)],
    }));
    for (const message of sent) one.send(message);
    one.flush();
    await ofTwo.untilReceived(sent.length);
    for (const [at, { commands }] of sent.entries()) {
      const message = ofTwo.messages[at] as (typeof sent)[number];
      expect({ ...message, commands: [] }).toEqual({ ...sent[at], commands: [] });
      expect(Buffer.compare(message.commands[0]!, commands[0]!)).toBe(0);
    }
  },

  'three members -> everybody hears everybody, and only what is meant for it': async (stage) => {
    const all = await stage.start(1, 2, 3);
    for (const [, recorder] of all) await until(() => recorder.links.length === 2);
    all.forEach(([transport], at) => {
      for (const to of [1, 2, 3]) if (to !== at + 1) transport.send(heartbeat(at + 1, to, 0));
      transport.flush();
    });
    for (const [at, [, recorder]] of all.entries()) {
      await recorder.untilReceived(2);
      expect(recorder.messages.map(({ to }) => to)).toEqual([at + 1, at + 1]);
      const others = [1, 2, 3].filter((member) => member !== at + 1);
      expect(recorder.messages.map(({ from }) => from).sort()).toEqual(others);
    }
  },

  'messages before the link stands, and to strangers -> dropped without a word': async (stage) => {
    const { one, ofOne, ofTwo } = await stage.startPair();
    one.send(heartbeat(1, 2, 111));
    one.send(heartbeat(1, 99, 222));
    one.send(heartbeat(1, 1, 333));
    one.flush();
    await ofOne.untilUp(2);
    one.send(heartbeat(1, 2, 444));
    one.flush();
    await ofTwo.untilReceived(1);
    expect(ofTwo.messages).toEqual([heartbeat(1, 2, 444)]);
  },
};

const links: Cases = {
  'a peer that closes and comes back -> down, up, and messages arrive again': async (stage) => {
    const { one, ofOne, two } = await stage.startPair();
    await ofOne.untilUp(2);
    await two.close();
    await ofOne.untilDown(2);
    one.send(heartbeat(1, 2, 1));
    one.flush();

    const again = await stage.world.make(2);
    const ofAgain = new Recorder();
    again.start(identityOf(2), ofAgain);
    await ofOne.untilUp(2);
    one.send(heartbeat(1, 2, 2));
    one.flush();
    await ofAgain.untilReceived(1);
    expect(ofAgain.messages).toEqual([heartbeat(1, 2, 2)]);
    expect(ofOne.links).toEqual(['2 up', '2 down', '2 up']);
    await ofAgain.untilUp(1);
  },

  'a peer that is not there yet -> told once, and the link rises when it comes': async (stage) => {
    const one = await stage.world.make(1);
    const two = await stage.world.make(2);
    await two.close();
    const ofOne = new Recorder();
    one.start(identityOf(1), ofOne);
    await until(() => ofOne.links.length > 0);
    const again = await stage.world.make(2);
    again.start(identityOf(2), new Recorder());
    await ofOne.untilUp(2);
    expect(ofOne.links).toEqual(['2 down', '2 up']);
  },

  'a peer that listens but has not started -> the link rises when it does': async (stage) => {
    const one = await stage.world.make(1);
    const two = await stage.world.make(2);
    const [ofOne, ofTwo] = [new Recorder(), new Recorder()];
    one.start(identityOf(1), ofOne);
    await new Promise((resolve) => setImmediate(resolve));
    expect(ofOne.links).not.toContain('2 up');
    two.start(identityOf(2), ofTwo);
    await ofOne.untilUp(2);
    expect(ofTwo.admitted).toContainEqual({ peer: identityOf(1), probe: false });
  },
};

const admission: Cases = {
  'owner still deciding -> no link; owner agrees -> link': async (stage) => {
    const [one, two] = [await stage.world.make(1), await stage.world.make(2)];
    const [ofOne, ofTwo] = [new Recorder(), new Recorder()];
    const decision = new Deferred<void>();
    ofTwo.decide = () => decision.promise;
    two.start(identityOf(2), ofTwo);
    one.start(identityOf(1), ofOne);
    await until(() => ofTwo.admitted.length > 0);
    expect(ofOne.links).toEqual([]);
    decision.resolve();
    await ofOne.untilUp(2);
    expect(ofTwo.admitted[0]).toEqual({ peer: identityOf(1), probe: false });
  },

  'owner rejects with MEMBER_IDENTITY_CHANGED -> told, and tried again until accepted': (stage) =>
    refused(stage, 'MEMBER_IDENTITY_CHANGED'),

  'owner rejects with MEMBER_UNKNOWN -> told, and tried again until accepted': (stage) =>
    refused(stage, 'MEMBER_UNKNOWN'),

  'owner fails to decide -> tried again, no refusal': async (stage) => {
    const [one, two] = [await stage.world.make(1), await stage.world.make(2)];
    const [ofOne, ofTwo] = [new Recorder(), new Recorder()];
    ofTwo.decide = () => Promise.reject(kontikiError('STORAGE_IO', 'disk'));
    two.start(identityOf(2), ofTwo);
    one.start(identityOf(1), ofOne);
    await until(() => ofTwo.admitted.length >= 2);
    ofTwo.decide = () => Promise.resolve();
    await ofOne.untilUp(2);
    expect(ofOne.refusals).toEqual([]);
  },

  'a member of another cluster -> CLUSTER_MISMATCH on both sides': async (stage) => {
    const [one, two] = [await stage.world.make(1), await stage.world.make(2)];
    const [ofOne, ofTwo] = [new Recorder(), new Recorder()];
    one.start(identityOf(1), ofOne);
    two.start({ ...identityOf(2), clusterId: 78 }, ofTwo);
    await until(() => ofOne.refusals.length > 0 && ofTwo.refusals.length > 0);
    expect(ofOne.refusals[0]).toBe('2 CLUSTER_MISMATCH');
    expect(ofTwo.refusals[0]).toBe('1 CLUSTER_MISMATCH');
    expect([...ofOne.admitted, ...ofTwo.admitted]).toEqual([]);
  },

  'another member behind the address, or oneself -> MEMBER_UNKNOWN': async (stage) => {
    const [one, two] = [await stage.world.make(1), await stage.world.make(2)];
    stage.world.misdirect(3, 2);
    stage.world.misdirect(4, 1);
    const ofOne = new Recorder();
    one.start(identityOf(1), ofOne);
    two.start(identityOf(2), new Recorder());
    await until(() => new Set(ofOne.refusals).size === 2);
    expect(new Set(ofOne.refusals)).toEqual(new Set(['3 MEMBER_UNKNOWN', '4 MEMBER_UNKNOWN']));
    await ofOne.untilUp(2);
  },
};

async function refused(
  stage: Stage,
  code: 'MEMBER_IDENTITY_CHANGED' | 'MEMBER_UNKNOWN',
): Promise<void> {
  const [one, two] = [await stage.world.make(1), await stage.world.make(2)];
  const [ofOne, ofTwo] = [new Recorder(), new Recorder()];
  ofTwo.decide = () => Promise.reject(kontikiError(code, 'another directory'));
  two.start(identityOf(2), ofTwo);
  one.start(identityOf(1), ofOne);
  await until(() => ofOne.refusals.length >= 2);
  one.send(heartbeat(1, 2, 1));
  one.flush();
  expect(new Set(ofOne.refusals)).toEqual(new Set([`2 ${code}`]));
  expect(ofOne.links).toEqual(['2 down']);
  ofTwo.decide = () => Promise.resolve();
  await ofOne.untilUp(2);
  expect(ofTwo.messages).toEqual([]);
}

const probe: Cases = {
  'a peer that would take us -> resolves, and the peer was only asked': async (stage) => {
    const { one, ofTwo } = await stage.probing(() => Promise.resolve());
    await one.probe(identityOf(1));
    expect(ofTwo.admitted).toEqual([{ peer: identityOf(1), probe: true }]);
    expect(ofTwo.messages).toEqual([]);
  },

  'a peer that remembers another directory -> MEMBER_IDENTITY_CHANGED': async (stage) => {
    const error = kontikiError('MEMBER_IDENTITY_CHANGED', 'was 0123');
    const { one } = await stage.probing(() => Promise.reject(error));
    await expect(one.probe(identityOf(1))).rejects.toMatchObject({
      code: 'MEMBER_IDENTITY_CHANGED',
      message: 'was 0123',
    });
  },

  'peers that disagree -> the refusal that explains most': async (stage) => {
    const { one } = await stage.probing(() => Promise.resolve());
    stage.world.misdirect(3, 2);
    const four = await stage.world.make(4);
    const ofFour = new Recorder();
    const error = kontikiError('MEMBER_IDENTITY_CHANGED', 'was 0123');
    ofFour.decide = () => Promise.reject(error);
    four.start(identityOf(4), ofFour);
    await expect(one.probe(identityOf(1))).rejects.toMatchObject({ message: 'was 0123' });
  },

  'a peer of another cluster -> CLUSTER_MISMATCH': async (stage) => {
    const { one } = await stage.probing(() => Promise.resolve());
    const self = { ...identityOf(1), clusterId: 5 };
    await expect(one.probe(self)).rejects.toMatchObject({ code: 'CLUSTER_MISMATCH' });
  },

  'peers that are gone or have not started -> resolves': async (stage) => {
    const one = await stage.world.make(1);
    await stage.world.make(2);
    const three = await stage.world.make(3);
    await three.close();
    await one.probe(identityOf(1));
  },
};

const life: Cases = {
  'an address that is taken -> PORT_IN_USE that names it': async (stage) => {
    await stage.world.make(1);
    await expect(stage.world.make(1)).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringContaining(':'),
    });
  },

  'close, twice, and in every state -> settles; send after it -> nothing': async (stage) => {
    const { one, ofOne, two, ofTwo } = await stage.startPair();
    const never = await stage.world.make(3);
    await ofOne.untilUp(2);
    await Promise.all([one.close(), one.close(), never.close()]);
    one.send(heartbeat(1, 2, 1));
    one.flush();
    await ofTwo.untilDown(1);
    await two.close();
    expect(ofTwo.messages).toEqual([]);
    expect(ofOne.links).toEqual(['2 up']);
  },
};
