// Goal: what one member encodes another decodes to the same message, and no bytes whatever do more
// harm to a member than a refusal.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { packTransient, type Scalar } from '../../src/codec/packr.js';
import { decodeWireMessage, encodeWireMessage } from '../../src/codec/wire-codec.js';
import type { AppendRequest } from '../../src/raft/messages.js';
import {
  codeOf,
  expectDecodedOrRefused,
  hostileStructures,
  mutated,
  randomBytes,
} from './hostile-bytes.js';
import { wireMessages, wireSamples } from './wire-samples.js';

const sampleNames = Object.keys(wireSamples);
const raw = (...values: Scalar[]): Uint8Array => packTransient(values, 1, 0);
const decodeRaw = (...values: Scalar[]) => decodeWireMessage(raw(...values));

describe('round trip', () => {
  test.each(sampleNames)('%s: encoded and decoded -> the same message', (name) => {
    const message = wireSamples[name]!;
    expect(decodeWireMessage(encodeWireMessage(message))).toStrictEqual(message);
  });

  test('any lawful message -> the same message', () => {
    fc.assert(
      fc.property(wireMessages, (message) => {
        expect(decodeWireMessage(encodeWireMessage(message))).toEqual(message);
      }),
    );
  });

  test('reserve: bytes are left in front, the rest is unchanged', () => {
    const message = wireSamples['append-request']!;
    const plain = encodeWireMessage(message);
    const reserved = encodeWireMessage(message, 12);
    expect(reserved.length).toBe(plain.length + 12);
    expect([...reserved.subarray(12)]).toEqual([...plain]);
  });

  test('large message: 1,000 entries of 1 KiB survive', () => {
    const data = new Uint8Array(1024).fill(0x55);
    const entries = Array.from({ length: 1000 }, (_, at) => ({
      ...{ term: 3, index: 11 + at, type: 'normal' as const, data },
    }));
    const message: AppendRequest = {
      ...{ kind: 'append-request', from: 1, to: 2, term: 3, commit: 10, entries },
      previous: { term: 2, index: 10 },
    };
    const decoded = decodeWireMessage(encodeWireMessage(message)) as AppendRequest;
    expect(decoded.entries.length).toBe(1000);
    expect(decoded.entries[999]).toStrictEqual(entries[999]);
  });

  test('decoded entries: receive buffer overwritten -> data unchanged', () => {
    const encoded = encodeWireMessage(wireSamples['append-request']!);
    const decoded = decodeWireMessage(encoded);
    encoded.fill(0xee);
    expect(decoded).toStrictEqual(wireSamples['append-request']);
  });

  test('decoding leaves no property behind on the bytes it was given', () => {
    const encoded = new Uint8Array(encodeWireMessage(wireSamples['vote-request']!));
    decodeWireMessage(encoded);
    expect(Object.keys(encoded).length).toBe(encoded.length);
  });

  test('encoded messages: a later encoding -> earlier bytes unchanged', () => {
    const first = encodeWireMessage(wireSamples['append-request']!);
    const before = [...first];
    for (let n = 0; n < 200; n += 1) encodeWireMessage(wireSamples['forward-request']!);
    expect([...first]).toEqual(before);
  });

  test('encode: entries with a hole -> assertion', () => {
    const message = wireSamples['append-request'] as AppendRequest;
    const entries = [message.entries[0]!, message.entries[2]!];
    expect(codeOf(() => encodeWireMessage({ ...message, entries }))).toBe('ASSERTION');
  });
});

describe('strictness', () => {
  const data = Uint8Array.of(1);
  const refused: Readonly<Record<string, Scalar[]>> = {
    'kind beyond the list': [10, 1, 2, 7],
    'kind below the list': [-1, 1, 2, 7],
    'kind between two': [2.5, 1, 2, 7],
    'kind of another type': [null, 1, 2, 7],
    'from 0': [3, 0, 2, 7],
    'to 0': [3, 1, 0, 7],
    'negative term': [3, 1, 2, -1],
    'fractional term': [3, 1, 2, 0.5],
    'term past the safe integers': [3, 1, 2, 2 ** 53],
    'term not a number': [3, 1, 2, Number.NaN],
    'term as bigint': [3, 1, 2, 7n],
    'term missing': [3, 1, 2],
    'element too many': [3, 1, 2, 7, 0, 0, 0],
    'commit missing': [2, 1, 2, 7],
    'reads missing': [2, 1, 2, 7, 5],
    'commit negative': [2, 1, 2, 7, -5, 0, 0],
    'sentAt missing': [2, 1, 2, 7, 5, 0],
    'granted as number': [5, 1, 2, 7, 1],
    'half a hint': [1, 1, 2, 7, 10, 3],
    'entry term above the message term': [0, 1, 2, 7, 3, 10, 9, 8, 0, data],
    'entry term below the previous': [0, 1, 2, 7, 3, 10, 9, 2, 0, data],
    'entry terms descending': [0, 1, 2, 7, 3, 10, 9, 5, 0, data, 4, 0, data],
    'entry of term 0': [0, 1, 2, 7, 0, 0, 9, 0, 0, data],
    'unknown entry type': [0, 1, 2, 7, 3, 10, 9, 3, 3, data],
    'entry data of another type': [0, 1, 2, 7, 3, 10, 9, 3, 0, 5],
    'entry cut short': [0, 1, 2, 7, 3, 10, 9, 3, 0],
    'entry index past the safe integers': [0, 1, 2, 7, 3, 2 ** 53 - 1, 9, 3, 0, data],
    'command of another type': [8, 1, 2, 7, 1, 5],
    'unknown refusal code': [9, 1, 2, 7, 1, 3],
    'snapshot with more ids than elements': [12, 1, 2, 7, 6, 9, data, false, 2 ** 40, 1],
    'snapshot before the log': [12, 1, 2, 7, 6, 0, data, false, 0, 0, 0, 0],
    'snapshot of member 0': [12, 1, 2, 7, 6, 9, data, false, 1, 0, 0, 0, 0],
    'no proposal': [15, 1, 2, 0],
    'half a proposal': [15, 1, 2, 0, 0],
  };
  test.each(Object.keys(refused))('%s -> FRAME_INVALID', (name) => {
    expect(codeOf(() => decodeRaw(...refused[name]!))).toBe('FRAME_INVALID');
  });

  test('the refused ones are refused for what they name: mended, they pass', () => {
    expect(decodeRaw(0, 1, 2, 7, 3, 10, 9, 3, 0, data, 7, 0, data).kind).toBe('append-request');
    expect(decodeRaw(3, 1, 2, 0, 0, 0).kind).toBe('heartbeat-response');
    expect(decodeRaw(1, 1, 2, 7, 10, 3, 4).kind).toBe('append-response');
    expect(decodeRaw(9, 1, 2, 7, 1, 1).kind).toBe('forward-refusal');
  });

  test('negative zero -> zero', () => {
    const bytes = raw(3, 1, 2, 7, 5, 0);
    const tail = [0xcb, 0x80, 0, 0, 0, 0, 0, 0, 0]; // -0 as a double, in place of the last element
    const decoded = decodeWireMessage(Uint8Array.from([...bytes.subarray(0, -1), ...tail]));
    expect(decoded).toMatchObject({ term: 7 });
    expect(Object.is((decoded as { sentAt?: number }).sentAt, 0)).toBe(true);
  });
});

describe('hostile bytes', () => {
  test.each(Object.keys(hostileStructures))('%s -> FRAME_INVALID', (name) => {
    expect(codeOf(() => decodeWireMessage(hostileStructures[name]!))).toBe('FRAME_INVALID');
  });

  test('no bytes -> FRAME_INVALID', () => {
    expect(codeOf(() => decodeWireMessage(new Uint8Array(0)))).toBe('FRAME_INVALID');
  });

  test.each([0, 2, 255])('version %i -> FORMAT_UNSUPPORTED', (version) => {
    const bytes = encodeWireMessage(wireSamples['vote-request']!);
    bytes[0] = version;
    expect(codeOf(() => decodeWireMessage(bytes))).toBe('FORMAT_UNSUPPORTED');
  });

  test('random bytes -> a message or a refusal', () => {
    fc.assert(
      fc.property(randomBytes, (bytes) => expectDecodedOrRefused(() => decodeWireMessage(bytes))),
      { numRuns: 2000 },
    );
  });

  test('damaged messages -> a refusal, or a message that is encoded again without loss', () => {
    const valid = wireMessages.map((message) => new Uint8Array(encodeWireMessage(message)));
    fc.assert(
      fc.property(mutated(valid), (bytes) => {
        expectDecodedOrRefused(() => {
          const message = decodeWireMessage(bytes);
          expect(decodeWireMessage(encodeWireMessage(message))).toEqual(message);
        });
      }),
      { numRuns: 1000 },
    );
  });

  test('after a refusal -> the next message decodes', () => {
    expectDecodedOrRefused(() => decodeWireMessage(hostileStructures['cut double']!));
    const message = wireSamples['append-request']!;
    expect(decodeWireMessage(encodeWireMessage(message))).toStrictEqual(message);
  });
});
