// Goal: hello and answer survive their encoding, every mismatch has its code, and no bytes in their
// place do more harm than a refusal.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { kontikiError } from '../../src/base/errors.js';
import {
  type Answer,
  decodeAnswer,
  encodeAnswer,
  refusalError,
  refusalOf,
} from '../../src/transport/answer.js';
import {
  acceptanceOf,
  checkAcceptance,
  checkHello,
  helloOf,
  protocolVersions,
} from '../../src/transport/handshake.js';
import { decodeHello, encodeHello, type Hello } from '../../src/transport/hello.js';
import { codeOf, expectDecodedOrRefused, mutated } from '../codec/hostile-bytes.js';

const one = { clusterId: 2 ** 53 - 1, memberId: 1, dirId: '00112233445566778899aabbccddeeff' };
const two = { clusterId: 2 ** 53 - 1, memberId: 2 ** 53 - 1, dirId: 'f'.repeat(32) };
const hello = helloOf(one, two.memberId, false);
const accepted = acceptanceOf(hello, two) as Answer & { kind: 'accepted' };

const life = { number: 2 ** 53 - 1, tokens: [2 ** 32 - 1, 0, 7], term: 258, lastIndex: 2 ** 40 };
const alive = { ...hello, from: { ...one, life } };

describe('hello', () => {
  test.each([true, false])('probe %s: encoded and decoded -> the same', (probe) => {
    expect(decodeHello(encodeHello({ ...hello, probe }))).toStrictEqual({ ...hello, probe });
  });

  test.each([
    ['tokens', alive],
    ['tokens, behind an address', { ...hello, from: { ...one, address: 'ö.example:1', life } }],
  ])('the life of a directory, with %s: encoded and decoded -> the same', (_, each) => {
    expect(decodeHello(encodeHello(each))).toStrictEqual(each);
  });

  test('a life without a token, which would tell it from no other -> FRAME_INVALID', () => {
    const bytes = encodeHello({ ...hello, from: { ...one, life: { ...life, tokens: [] } } });
    expect(codeOf(() => decodeHello(bytes))).toBe('FRAME_INVALID');
  });

  test.each([hello, alive])('bytes that a later release appended -> ignored', (each) => {
    const longer = Uint8Array.from([...encodeHello(each), 1, 2, 3]);
    expect(decodeHello(longer)).toStrictEqual(each);
  });

  test('golden bytes of 0.1.0', () => {
    const bytes = encodeHello({ ...hello, to: 258, probe: true });
    expect(Buffer.from(bytes).toString('hex')).toBe(
      '6b6e746b0101010001' +
        '00ffffffffffff1f000100000000000000020100000000000000112233445566778899aabbccddeeff',
    );
  });

  test('golden bytes of 0.1.0, of a directory that lives', () => {
    const bytes = encodeHello({ ...alive, from: { ...alive.from, address: 'a:1' } });
    expect(Buffer.from(bytes.subarray(50)).toString('hex')).toBe(
      '0300613a31ffffffffffff1f000201000000000000000000000001000003ffffffff0000000007000000',
    );
    expect(bytes[5]).toBe(0b10100);
  });

  test('random and damaged bytes -> a hello or FRAME_INVALID', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      mutated(fc.constantFrom(encodeHello(hello), encodeHello(alive))),
    );
    fc.assert(
      fc.property(bytes, (each) => expectDecodedOrRefused(() => decodeHello(each))),
      { numRuns: 1000 },
    );
  });

  test.each([
    ['cut', (bytes: Uint8Array) => bytes.slice(0, -1)],
    ['of a member 0', (bytes: Uint8Array) => bytes.fill(0, 18, 26)],
    ['to a member beyond 2^53', (bytes: Uint8Array) => bytes.fill(0xff, 26, 34)],
    ['with versions 9 to 1', (bytes: Uint8Array) => bytes.fill(9, 6, 7)],
    ['of 2 kB', (bytes: Uint8Array) => Uint8Array.from([...bytes, ...new Array(2000).fill(0)])],
    ['with another magic', (bytes: Uint8Array) => bytes.fill(0, 0, 1)],
  ])('a hello %s -> FRAME_INVALID', (_name, damage) => {
    expect(codeOf(() => decodeHello(damage(encodeHello(hello))))).toBe('FRAME_INVALID');
    expect(codeOf(() => decodeHello(damage(encodeHello(alive))))).toBe('FRAME_INVALID');
  });
});

describe('answer', () => {
  const answers: Answer[] = [
    accepted,
    { kind: 'refused', code: 'FORMAT_UNSUPPORTED', message: 'é' },
    { kind: 'refused', code: 'CLUSTER_MISMATCH', message: '' },
  ];
  test.each(answers)('%j: encoded and decoded -> the same', (answer) => {
    expect(decodeAnswer(encodeAnswer(answer))).toStrictEqual(answer);
  });

  test('a message of 10 kB -> cut, and still an answer', () => {
    const refusal = { ...answers[1]!, message: 'x'.repeat(10_000) } as Answer;
    const decoded = decodeAnswer(encodeAnswer(refusal)) as Answer & { kind: 'refused' };
    expect(decoded.message).toBe('x'.repeat(500));
  });

  test('random and damaged bytes -> an answer or FRAME_INVALID', () => {
    const valid = fc.constantFrom(...answers).map((answer) => encodeAnswer(answer));
    const bytes = fc.oneof(fc.uint8Array({ maxLength: 80 }), mutated(valid));
    fc.assert(
      fc.property(bytes, (each) => expectDecodedOrRefused(() => decodeAnswer(each))),
      { numRuns: 1000 },
    );
  });

  test('an error that is no refusal -> no answer', () => {
    expect(refusalOf(kontikiError('STORAGE_IO', 'disk'))).toBeUndefined();
    expect(refusalOf(new Error('bug'))).toBeUndefined();
    const refusal = refusalOf(kontikiError('MEMBER_UNKNOWN', 'who')) as never;
    expect(refusalError(refusal)).toMatchObject({ code: 'MEMBER_UNKNOWN', message: 'who' });
  });
});

describe('rules of a hello', () => {
  const check = (changes: Partial<Hello>) => checkHello({ ...hello, ...changes }, two)?.code;

  test('the right peer of the right cluster -> nothing wrong', () => {
    expect(check({})).toBeUndefined();
    expect(check({ versions: { min: 0, max: 9 } })).toBeUndefined();
  });

  test.each([
    ['versions above ours', { versions: { min: 2, max: 9 } }, 'FORMAT_UNSUPPORTED'],
    ['versions below ours', { versions: { min: 0, max: 0 } }, 'FORMAT_UNSUPPORTED'],
    ['another cluster', { from: { ...one, clusterId: 7 } }, 'CLUSTER_MISMATCH'],
    ['meant for another member', { to: 3 }, 'MEMBER_UNKNOWN'],
    ['from ourselves', { from: { ...one, memberId: two.memberId } }, 'MEMBER_UNKNOWN'],
  ])('%s -> %3$s', (_name, changes, code) => {
    expect(check(changes)).toBe(code);
  });

  test('a peer that speaks more -> the newest version both speak', () => {
    const answer = acceptanceOf({ ...hello, versions: { min: 0, max: 9 } }, two);
    expect(answer).toMatchObject({ version: protocolVersions.max });
  });
});

describe('rules of an acceptance', () => {
  const check = (changes: Partial<typeof accepted>) =>
    checkAcceptance({ ...accepted, ...changes }, hello)?.code;

  test('what was asked for -> nothing wrong', () => {
    expect(check({})).toBeUndefined();
  });

  test.each([
    ['a version not offered', { version: 2 }, 'FORMAT_UNSUPPORTED'],
    ['another cluster', { from: { ...two, clusterId: 7 } }, 'CLUSTER_MISMATCH'],
    ['another member', { from: { ...two, memberId: 3 } }, 'MEMBER_UNKNOWN'],
  ])('%s -> %3$s', (_name, changes, code) => {
    expect(check(changes)).toBe(code);
  });
});
