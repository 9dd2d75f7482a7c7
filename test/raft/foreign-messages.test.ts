// What nobody of the group would send: refused by name, and nothing changed.
import { describe, expect, test } from 'vitest';
import { type Message, RawNode } from '../../src/raft/index.js';
import { LoneNode } from './lone-node.js';

const refused = (code: string) => expect.objectContaining({ code });

function unchangedBy(message: Message, code: string, lone = new LoneNode()): void {
  const before = lone.node.status();
  expect(() => lone.step(message)).toThrow(refused(code));
  expect(lone.node.status()).toEqual(before);
  expect(lone.node.hasReady()).toBe(false);
}

describe('foreign messages', () => {
  const previous = { index: 0, term: 0 };
  const commit = 0;
  const data = new Uint8Array(0);

  test('in the own name -> MESSAGE_INVALID', () => {
    const self = { from: 1, to: 1, term: 9 } as const;
    unchangedBy(
      { kind: 'heartbeat-request', ...self, commit, reads: 0, sentAt: 0 },
      'MESSAGE_INVALID',
    );
    unchangedBy({ kind: 'timeout-now', ...self }, 'MESSAGE_INVALID');
    unchangedBy(
      { kind: 'append-request', ...self, previous, entries: [], commit },
      'MESSAGE_INVALID',
    );
  });

  test('a term that leaves no room for others -> MESSAGE_INVALID', () => {
    const last = previous;
    const request = { kind: 'vote-request', from: 2, to: 1, last } as const;
    unchangedBy({ ...request, term: Number.MAX_SAFE_INTEGER }, 'MESSAGE_INVALID');
    const lone = new LoneNode();
    lone.step({ ...request, term: 2 ** 40 });
    expect(lone.node.term).toBe(2 ** 40);
  });

  test('a snapshot that leaves no room for entries behind it -> MESSAGE_INVALID', () => {
    const request = (index: number): Message => {
      const snapshot = { last: { term: 1, index }, configuration: { voters: [1, 2, 3] }, data };
      return { kind: 'snapshot-request', from: 2, to: 1, term: 1, snapshot };
    };
    const roomMin = 2 ** 40;
    unchangedBy(request(Number.MAX_SAFE_INTEGER - roomMin + 1), 'MESSAGE_INVALID');
    const lone = new LoneNode();
    lone.step(request(Number.MAX_SAFE_INTEGER - roomMin));
    expect(lone.node.status().commit).toBe(Number.MAX_SAFE_INTEGER - roomMin);
  });

  test('checked alone -> refused as by step; what is lawful changes nothing either', () => {
    const lone = new LoneNode();
    const before = lone.node.status();
    const request = { kind: 'vote-request', from: 2, to: 1, last: previous } as const;
    expect(() => lone.node.checkMessage({ ...request, term: Number.MAX_SAFE_INTEGER })).toThrow(
      refused('MESSAGE_INVALID'),
    );
    lone.node.checkMessage({ ...request, term: 9 });
    expect(lone.node.status()).toEqual(before);
  });

  test('an order to campaign in a later term -> ignored, whoever sends it', () => {
    const lone = new LoneNode();
    lone.lead();
    for (const from of [2, 77]) lone.step({ kind: 'timeout-now', from, to: 1, term: 5 });
    expect(lone.node.status()).toMatchObject({ role: 'leader', term: 1 });
  });

  test('of a kind that is not known -> MESSAGE_INVALID', () => {
    const strange = { kind: 'gossip', from: 2, to: 1, term: 9 } as unknown as Message;
    unchangedBy(strange, 'MESSAGE_INVALID');
  });
});

describe('arguments', () => {
  test.each([-1, 0.5, Number.NaN, 2 ** 53])('a read of id %d -> ARGUMENT_INVALID', (readId) => {
    const lone = new LoneNode();
    lone.lead();
    expect(() => lone.node.readIndex(readId)).toThrow(refused('ARGUMENT_INVALID'));
  });

  test('founding a group on a member that has a term -> ARGUMENT_INVALID, the term is kept', () => {
    const hardState = { term: 7, vote: 3, commit: 0 };
    const lone = new LoneNode({ voters: [], hardState });
    expect(() => lone.node.bootstrap([{ id: 1 }])).toThrow(refused('ARGUMENT_INVALID'));
    expect(lone.node.status()).toMatchObject({ term: 7, vote: 3 });
  });

  test('options that are undefined -> their defaults; of another type -> OPTIONS_INVALID', () => {
    const { store: reader } = new LoneNode();
    const random = { u32: () => 0 };
    const open = (options: object) => new RawNode({ id: 1, reader, random, ...options });
    const node = open({
      checkQuorum: undefined,
      asyncStorageWrites: undefined,
      latestSnapshot: undefined,
    });
    // Synchronous mode would refuse it.
    expect(() =>
      node.step({
        kind: 'storage-append-response',
        from: 1,
        to: 1,
        term: 0,
        last: { index: 0, term: 0 },
      }),
    ).not.toThrow();
    expect(() => open({ checkQuorum: 'no' })).toThrow(refused('OPTIONS_INVALID'));
    expect(() => open({ appendBytesMax: 0, inflightBytesMax: 0 })).toThrow(
      refused('OPTIONS_INVALID'),
    );
  });
});
