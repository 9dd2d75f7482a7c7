// What a leader is asked about a directory survives its encoding, and no bytes in its place do harm.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../src/base/limits.js';
import {
  decodeInquiry,
  decodeJoinAnswer,
  decodeMembershipQuestion,
  encodeJoinAnswer,
  encodeJoinQuestion,
  encodeMembershipQuestion,
  type MembershipQuestion,
} from '../../src/codec/membership-codec.js';
import { codeOf, expectDecodedOrRefused, mutated } from './hostile-bytes.js';

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

const added = { kind: 'add', id: 0, by: 0, voter: false, promote: false } as const;
const moved = { ...added, kind: 'update', id: 2, name: '' } as const;

test.each([
  ['a name and an address', { ...added, name: 'n4', address: '127.0.0.1:9' }, true],
  ['another address', { ...moved, address: 'n2.example:9' }, true],
  ['an address that is none', { ...added, name: 'n4', address: 'no address at all' }, false],
  ['another address that is none', { ...moved, address: 'nowhere' }, false],
  ['no name', { ...added, name: '', address: '127.0.0.1:9' }, false],
  ['a name that fills a frame', { ...added, name: 'x'.repeat(1_000_000), address: 'a:9' }, false],
])('a change of the group with %s -> taken: %s', (_what, request, isTaken) => {
  // All members keep it for good, and dial it: whoever asks need not have looked at it.
  const question: MembershipQuestion = { kind: 'change', request, isRetry: false };
  const bytes = encodeMembershipQuestion(question);
  if (isTaken) expect(decodeMembershipQuestion(bytes)).toStrictEqual(question);
  else expect(codeOf(() => decodeMembershipQuestion(bytes))).toBe('FRAME_INVALID');
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

describe('what one that joins is told', () => {
  const member = (id: number, name = `n${id}`, address = `${name}:1`) => {
    return { id, name, address, promote: false };
  };
  const founders = [member(1, 'a', '')];
  const members = [member(1, 'a'), member(4, 'd', '[::1]:7000')];
  const told = { kind: 'member', clusterId: 7, memberId: 4, founders, members } as const;
  const many = Array.from({ length: limits.membersMax + 1 }, (_, at) => member(at + 1));
  const longest = 'x'.repeat(limits.memberTextMax);

  test('a group -> the same, a founder without an address too', () => {
    expect(decodeJoinAnswer(encodeJoinAnswer(told))).toStrictEqual(told);
    const long = { ...told, founders: [member(1, longest, `${longest.slice(2)}:1`)] };
    expect(decodeJoinAnswer(encodeJoinAnswer(long))).toStrictEqual(long);
    const most = { ...told, founders: many.slice(1), members: many.slice(1) };
    expect(decodeJoinAnswer(encodeJoinAnswer(most))).toStrictEqual(most);
  });

  test.each([
    ['cluster 0', { clusterId: 0 }],
    ['member 0', { memberId: 0 }],
    ['an id that none of the members has', { memberId: 5 }],
    ['no founders', { founders: [] }],
    ['no members', { members: [] }],
    ['too many founders', { founders: many }],
    ['too many members', { members: many }],
    ['a founder 0', { founders: [member(0)] }],
    ['two founders of one id', { founders: [member(1), member(1, 'b')] }],
    ['two members of one name', { members: [member(1, 'd'), member(4, 'd')] }],
    ['a founder without a name', { founders: [member(1, '')] }],
    ['a name with a NUL', { founders: [member(1, 'a\0')] }],
    ['a name that is too long', { founders: [member(1, `${longest}x`, 'a:1')] }],
    ['an address that is too long', { founders: [member(1, 'a', `${longest}:1`)] }],
    ['an address without a port', { members: [member(4, 'd', 'd')] }],
    ['an address with a NUL', { members: [member(4, 'd', 'd\0:1')] }],
    ['a port that there is not', { members: [member(4, 'd', 'd:65536')] }],
  ])('%s -> FRAME_INVALID', (_what, wrong) => {
    const bytes = encodeJoinAnswer({ ...told, ...wrong });
    expect(codeOf(() => decodeJoinAnswer(bytes))).toBe('FRAME_INVALID');
  });

  test('damaged bytes -> an answer or FRAME_INVALID', () => {
    const bytes = mutated(fc.constant(encodeJoinAnswer(told)));
    fc.assert(
      fc.property(bytes, (each) => expectDecodedOrRefused(() => decodeJoinAnswer(each))),
      { numRuns: 500 },
    );
  });
});
