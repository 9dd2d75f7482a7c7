// What a leader is asked about a directory survives its encoding, and no bytes in its place do harm.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  decodeMembershipQuestion,
  encodeMembershipQuestion,
  type MembershipQuestion,
} from '../../src/codec/membership-codec.js';
import { expectDecodedOrRefused, mutated } from './hostile-bytes.js';

const peer = { clusterId: 2 ** 53 - 1, memberId: 7, dirId: '0123456789abcdef0123456789abcdef' };
const life = { number: 3, term: 5, lastIndex: 2 ** 40, tokens: [2 ** 32 - 1, 0, 7] };
const questions: MembershipQuestion[] = [
  { kind: 'vouch', peer, probe: true },
  { kind: 'vouch', peer: { ...peer, life }, probe: true, isRelayed: true },
  { kind: 'vouch', peer: { ...peer, life }, probe: false },
  { kind: 'vouch', peer: { ...peer, life: { ...life, tokens: [] } }, probe: false },
];

test.each(questions)('%j: encoded and decoded -> the same', (question) => {
  expect(decodeMembershipQuestion(encodeMembershipQuestion(question))).toStrictEqual(question);
});

test('damaged bytes -> a question or FRAME_INVALID', () => {
  const bytes = mutated(fc.constantFrom(...questions.map(encodeMembershipQuestion)));
  fc.assert(
    fc.property(bytes, (each) => expectDecodedOrRefused(() => decodeMembershipQuestion(each))),
    { numRuns: 500 },
  );
});
