/** One message of every kind and shape, and a generator of lawful ones. */
import fc from 'fast-check';
import type { WireMessage } from '../../src/codec/wire-message.js';
import type { Entry, EntryType } from '../../src/raft/types.js';

export { wireSamples } from '../../src/testing/suites/wire-samples.js';

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
  of('vote-request', { last: logId, commit: logId }),
  of('vote-request', { last: logId, commit: logId, transfer: fc.constant(true) }),
  of('pre-vote-request', { last: logId }),
  of('pre-vote-request', { last: logId, commit: logId }),
  of('pre-vote-response', { granted }),
  of('vote-response', { granted, commit: logId }),
  of('forward-request', { id: number, commands: fc.array(bytes, { maxLength: 5 }) }),
  of('forward-refusal', {
    id: number,
    code: fc.constantFrom('NOT_LEADER' as const, 'PROPOSAL_DROPPED' as const, 'NO_SPACE' as const),
  }),
);
