// What a leader is asked about a directory survives its encoding, and no bytes in its place do harm.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  decodeInquiry,
  decodeMembershipQuestion,
  encodeJoinQuestion,
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

test('what anybody may ask: to join, or for a word on a peer; nothing else', () => {
  const join = { token: 'blue', name: 'n4' };
  expect(decodeInquiry(encodeJoinQuestion(join))).toStrictEqual({ kind: 'join', ...join });
  for (const question of questions) {
    expect(decodeInquiry(encodeMembershipQuestion(question))).toStrictEqual(question);
  }
  const request = { kind: 'remove', id: 2, by: 0, name: '', address: '' } as const;
  const change = { ...request, voter: false, promote: false };
  const bytes = encodeMembershipQuestion({ kind: 'change', request: change, isRetry: false });
  expect(() => decodeInquiry(bytes)).toThrow(expect.objectContaining({ code: 'FRAME_INVALID' }));
});

test('damaged bytes -> a question or FRAME_INVALID', () => {
  const join = encodeJoinQuestion({ token: 'blue', name: 'n4' });
  const bytes = mutated(fc.constantFrom(join, ...questions.map(encodeMembershipQuestion)));
  fc.assert(
    fc.property(bytes, (each) => expectDecodedOrRefused(() => decodeInquiry(each))),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(bytes, (each) => expectDecodedOrRefused(() => decodeMembershipQuestion(each))),
    { numRuns: 500 },
  );
});
