/** One message of every kind and shape, and a generator of lawful ones. */
import fc from 'fast-check';
import type { WireMessage } from '../../src/codec/wire-message.js';
import type { Entry, EntryType } from '../../src/raft/types.js';

const base = { from: 1, to: 2 ** 53 - 1, term: 7 };
const last = { term: 6, index: 2 ** 32 + 5 };

export const wireSamples: Readonly<Record<string, WireMessage>> = {
  'append-request': {
    ...base,
    kind: 'append-request',
    previous: { term: 5, index: 300 },
    entries: [
      { term: 5, index: 301, type: 'normal', data: Uint8Array.of(1, 2, 3) },
      { term: 7, index: 302, type: 'config-change', data: new Uint8Array(0) },
      { term: 7, index: 303, type: 'config-change-v2', data: new Uint8Array(300).fill(0xfe) },
    ],
    commit: 299,
  },
  'append-request, empty': {
    ...base,
    kind: 'append-request',
    previous: { term: 0, index: 0 },
    entries: [],
    commit: 0,
  },
  'append-response': { ...base, kind: 'append-response', index: 70_000 },
  'append-response, rejected': { ...base, kind: 'append-response', index: 70_000, hint: last },
  'heartbeat-request': {
    ...base,
    kind: 'heartbeat-request',
    commit: 2 ** 53 - 1,
    reads: 3,
    sentAt: 0,
  },
  'heartbeat-response': { ...base, kind: 'heartbeat-response', reads: 300, sentAt: 86_400_000 },
  'vote-request': { ...base, kind: 'vote-request', last },
  'vote-request, transfer': { ...base, kind: 'vote-request', last, transfer: true },
  'vote-response': { ...base, kind: 'vote-response', granted: true },
  'vote-response, with a commit': { ...base, kind: 'vote-response', granted: false, commit: last },
  'pre-vote-request': { ...base, kind: 'pre-vote-request', last: { term: 0, index: 0 } },
  'pre-vote-response': { ...base, kind: 'pre-vote-response', granted: false },
  'forward-request': {
    ...base,
    kind: 'forward-request',
    id: 12,
    commands: [Uint8Array.of(9), Uint8Array.of()],
  },
  'forward-refusal': { ...base, kind: 'forward-refusal', id: 12, code: 'PROPOSAL_DROPPED' },
  'read-request': { ...base, kind: 'read-request', readId: 2 ** 40 },
  'read-response': { ...base, kind: 'read-response', readId: 2 ** 40, index: 70_000 },
  'snapshot-request': {
    ...base,
    kind: 'snapshot-request',
    snapshot: {
      last,
      configuration: {
        voters: [1, 2],
        votersOutgoing: [2, 2 ** 53 - 1],
        learners: [70_000],
        learnersNext: [2 ** 53 - 1],
        autoLeave: true,
      },
      data: Uint8Array.of(0, 255),
    },
  },
  'timeout-now': { ...base, kind: 'timeout-now' },
  'transfer-request': { ...base, kind: 'transfer-request', transferee: 300 },
  'propose-request': {
    ...base,
    term: 0,
    kind: 'propose-request',
    proposals: [
      { type: 'normal', data: Uint8Array.of(1) },
      { type: 'config-change-v2', data: new Uint8Array(0) },
    ],
  },
  'ask-request': { ...base, kind: 'ask-request', id: 300, data: Uint8Array.of(1, 255) },
  'ask-response': { ...base, kind: 'ask-response', id: 300, data: new Uint8Array(0) },
  'ask-response, refused': { ...base, kind: 'ask-response', id: 300 },
  'snapshot-chunk': {
    ...base,
    kind: 'snapshot-chunk',
    id: 2 ** 40,
    at: 3,
    isLast: false,
    data: Uint8Array.of(1, 2),
  },
  'snapshot-ack': { ...base, kind: 'snapshot-ack', id: 2 ** 40, next: 4, state: 'installing' },
};

const number = fc.oneof(fc.nat(300), fc.maxSafeNat());
const member = number.map((value) => Math.max(value, 1));
const bytes = fc.uint8Array({ maxLength: 40 });
const logId = fc.record({ term: number, index: number });
const envelope = { from: member, to: member, term: number };
const granted = fc.boolean();
const entryType = fc.constantFrom<EntryType>('normal', 'config-change', 'config-change-v2');
const ids = fc.array(member, { maxLength: 4 });
const snapshot = fc.record({
  last: fc.record({ term: member, index: member }),
  configuration: fc.record({
    voters: ids,
    votersOutgoing: ids,
    learners: ids,
    learnersNext: ids,
    autoLeave: fc.boolean(),
  }),
  data: bytes,
});

function of<K extends WireMessage['kind']>(kind: K, fields: Record<string, fc.Arbitrary<unknown>>) {
  const all = { kind: fc.constant(kind), ...envelope, ...fields };
  return fc.record(all) as unknown as fc.Arbitrary<WireMessage>;
}

const append = fc
  .record({
    from: member,
    to: member,
    previousTerm: fc.nat(5),
    previousIndex: fc.nat(2 ** 33),
    steps: fc.array(fc.record({ termStep: fc.nat(2), type: entryType, data: bytes }), {
      maxLength: 20,
    }),
    commit: number,
  })
  .map(({ from, to, previousTerm, previousIndex, steps, commit }): WireMessage => {
    let term = Math.max(previousTerm, 1);
    const entries: Entry[] = steps.map(({ termStep, type, data }, at) => {
      term += termStep;
      return { term, index: previousIndex + 1 + at, type, data };
    });
    const previous = { term: previousTerm, index: previousIndex };
    return { kind: 'append-request', from, to, term, previous, entries, commit };
  });

export const wireMessages: fc.Arbitrary<WireMessage> = fc.oneof(
  append,
  of('append-response', { index: number }),
  of('append-response', { index: number, hint: logId }),
  of('heartbeat-request', { commit: number, reads: number, sentAt: number }),
  of('heartbeat-response', { reads: number, sentAt: number }),
  of('snapshot-request', { snapshot }),
  of('timeout-now', {}),
  of('transfer-request', { transferee: member }),
  of('propose-request', {
    proposals: fc.array(fc.record({ type: entryType, data: bytes }), {
      minLength: 1,
      maxLength: 5,
    }),
  }),
  of('ask-request', { id: number, data: bytes }),
  of('ask-response', { id: number, data: bytes }),
  of('ask-response', { id: number }),
  of('snapshot-chunk', { id: number, at: number, isLast: fc.boolean(), data: bytes }),
  of('snapshot-ack', {
    id: number,
    next: number,
    state: fc.constantFrom('receiving', 'installing', 'done', 'failed'),
  }),
  of('read-request', { readId: number }),
  of('read-response', { readId: number, index: number }),
  of('vote-request', { last: logId }),
  of('vote-request', { last: logId, transfer: fc.constant(true) }),
  of('vote-response', { granted }),
  of('pre-vote-request', { last: logId }),
  of('pre-vote-response', { granted }),
  of('vote-response', { granted, commit: logId }),
  of('forward-request', { id: number, commands: fc.array(bytes, { maxLength: 5 }) }),
  of('forward-refusal', {
    id: number,
    code: fc.constantFrom('NOT_LEADER' as const, 'PROPOSAL_DROPPED' as const, 'NO_SPACE' as const),
  }),
);
