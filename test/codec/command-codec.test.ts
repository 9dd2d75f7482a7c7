// Goal: a command in the log means the same to every member, and no bytes in a log or from a
// forwarding peer do more harm than a refusal.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeCommand, encodeCommand } from '../../src/codec/command-codec.js';
import { packTransient, type Scalar } from '../../src/codec/packr.js';
import { commandSamples, envelopes } from './command-samples.js';
import {
  codeOf,
  expectDecodedOrRefused,
  hostileStructures,
  mutated,
  randomBytes,
} from './hostile-bytes.js';

const sampleNames = Object.keys(commandSamples);
const decodeRaw = (...values: Scalar[]) => decodeCommand(packTransient(values, 1, 0));

describe('round trip', () => {
  test.each(sampleNames)('%s: encoded and decoded -> the same command', (name) => {
    const envelope = commandSamples[name]!;
    expect(decodeCommand(encodeCommand(envelope))).toStrictEqual(envelope);
  });

  test('any lawful command -> the same command', () => {
    fc.assert(
      fc.property(envelopes, (envelope) => {
        expect(decodeCommand(encodeCommand(envelope))).toEqual(envelope);
      }),
    );
  });

  test('decoded value: the bytes overwritten -> value unchanged', () => {
    const encoded = encodeCommand(commandSamples.put!);
    const decoded = decodeCommand(encoded);
    encoded.fill(0xee);
    expect(decoded).toStrictEqual(commandSamples.put);
  });

  test('encoded commands: hundreds of later encodings -> earlier bytes unchanged', () => {
    const kept = sampleNames.map((name) => encodeCommand(commandSamples[name]!));
    const large = { op: 'put', key: 'a', value: new Uint8Array(20_000).fill(1) } as const;
    for (let n = 0; n < 400; n += 1) {
      encodeCommand(commandSamples.delete!);
      if (n % 40 === 0) encodeCommand({ session: 1, seq: 1, doneBelow: 1, command: large });
    }
    expect(kept.map(decodeCommand)).toStrictEqual(sampleNames.map((name) => commandSamples[name]));
  });

  test('value of 1 MiB survives', () => {
    const value = new Uint8Array(1 << 20).fill(0x5a);
    const envelope = { session: 1, seq: 1, doneBelow: 1, command: { op: 'put', key: 'a', value } };
    const { command } = decodeCommand(encodeCommand(envelope as never));
    expect(command.op === 'put' && Buffer.compare(command.value, value)).toBe(0);
  });

  test.each<[string, object]>([
    ['a lease beyond int64', { op: 'put', key: 'a', value: Uint8Array.of(), lease: 2n ** 63n }],
    [
      'a fractional operand',
      txnOf({ target: 'version', result: 'equal', keys: { gte: 'a' }, operand: 0.5 }),
    ],
    ['a text as value', { op: 'put', key: 'a', value: 'text' }],
    ['an unknown op', { op: 'increment' }],
  ])('encode: %s -> assertion, before it is in the log', (_name, command) => {
    const envelope = { session: 1, seq: 1, doneBelow: 1, command };
    expect(codeOf(() => encodeCommand(envelope as never))).toBe('ASSERTION');
  });
});

describe('strictness', () => {
  const a = Uint8Array.of(0x61);
  const withSort = (...sort: Scalar[]): Scalar[] => {
    const plain = [1, 1, 1, 2, 0, 1, 0, 6, a, null, null, null, null, 0];
    return [...plain, ...sort, null, null, null, null];
  };
  const refused: Readonly<Record<string, Scalar[]>> = {
    'unknown op': [1, 1, 1, 6],
    'negative op': [1, 1, 1, -1],
    'no op': [1, 1, 1],
    'negative session': [-1, 1, 1, 3, 1],
    'fractional seq': [1, 1.5, 1, 3, 1],
    'unsafe doneBelow': [1, 1, 2 ** 53, 3, 1],
    'element too many': [1, 1, 1, 3, 1, 0],
    'put without lease element': [1, 1, 1, 0, a, a],
    'put with a number as lease': [1, 1, 1, 0, a, a, 5],
    'put with a number as key': [1, 1, 1, 0, 5, a, null],
    'put with nil as value': [1, 1, 1, 0, a, null, null],
    'delete with a number as end': [1, 1, 1, 1, a, 5],
    'txn that counts a compare too many': [1, 1, 1, 2, 1, 0, 0],
    'txn that counts 2^53-1 operations': [1, 1, 1, 2, 0, 2 ** 53 - 1, 0],
    'txn that counts too few': [1, 1, 1, 2, 0, 0, 0, 1, a, null],
    'compact with nil as revision': [1, 1, 1, 3, null],
    'put with unknown flags': [1, 1, 1, 4, a, a, null, 8],
    'delete with a boolean as flags': [1, 1, 1, 5, a, null, true],
    'txn with an unknown target': [1, 1, 1, 2, 1, 0, 0, 5, 0, a, 0],
    'txn with an unknown target of a range': [1, 1, 1, 2, 1, 0, 0, 21, 0, a, null, 0],
    'txn that compares a range without an end': [1, 1, 1, 2, 1, 0, 0, 16, 0, a, 0],
    'txn with an unknown op': [1, 1, 1, 2, 0, 1, 0, 7, 0, 0, 0],
    'txn inside a txn that counts too few': [1, 1, 1, 2, 0, 1, 0, 3, 0, 0, 0, 0],
    'txn with an unknown result': [1, 1, 1, 2, 1, 0, 0, 0, 4, a, 0],
    'txn that compares a lease with a number': [1, 1, 1, 2, 1, 0, 0, 4, 0, a, 0],
    'range with an order without a target': withSort(null, 0),
    'range with an unknown target': withSort(5, 0),
    'range with an unknown order': withSort(0, 2),
    'range with a negative limit': [1, 1, 1, 2, 0, 1, 0, 2, a, a, -1, null, null],
    'range with a number as count': [1, 1, 1, 2, 0, 1, 0, 2, a, a, 1, 1, null],
  };
  test.each(Object.keys(refused))('%s -> FRAME_INVALID', (name) => {
    expect(codeOf(() => decodeRaw(...refused[name]!))).toBe('FRAME_INVALID');
  });

  test('the refused ones are refused for what they name: mended, they pass', () => {
    expect(decodeRaw(1, 1, 1, 0, a, a, 5n).command.op).toBe('put');
    expect(decodeRaw(1, 1, 1, 2, 0, 1, 0, 1, a, null).command.op).toBe('txn');
    expect(decodeRaw(1, 1, 1, 2, 1, 0, 0, 4, 3, a, 0n).command.op).toBe('txn');
    expect(decodeRaw(1, 1, 1, 2, 1, 0, 0, 20, 3, a, null, 0n).command.op).toBe('txn');
    expect(decodeRaw(1, 1, 1, 2, 0, 1, 0, 3, 0, 0, 0).command.op).toBe('txn');
    expect(decodeRaw(...withSort(4, 1)).command.op).toBe('txn');
    expect(decodeRaw(1, 1, 1, 3, 1).command.op).toBe('compact');
    expect(decodeRaw(1, 1, 1, 4, a, a, null, 3).command.op).toBe('put');
    expect(decodeRaw(1, 1, 1, 5, a, null, 1).command.op).toBe('delete');
    expect(decodeRaw(1, 1, 1, 2, 0, 1, 0, 2, a, a, 1, true, null).command.op).toBe('txn');
  });
});

describe('depth', () => {
  const nested = (depth: number): Scalar[] => {
    const values: Scalar[] = [1, 1, 1, 2];
    for (let level = 1; level < depth; level += 1) values.push(0, 1, 0, 3);
    return [...values, 0, 0, 0];
  };

  test('transactions inside each other: as many as the format allows, and no more', () => {
    expect(decodeRaw(...nested(256)).command.op).toBe('txn');
    expect(codeOf(() => decodeRaw(...nested(257)))).toBe('FRAME_INVALID');
    const deep = packTransient(nested(500_000), 1, 0);
    expect(codeOf(() => decodeCommand(deep))).toBe('FRAME_INVALID');
  });

  test('more elements than the format allows: refused before they are packed', () => {
    const compare = { target: 'version', result: 'equal', keys: { gte: 'a' }, operand: 0 } as const;
    const compares = new Array(500_000).fill(compare);
    const command = { op: 'txn', compares, success: [], failure: [] } as const;
    const envelope = { session: 1, seq: 1, doneBelow: 1, command };
    expect(codeOf(() => encodeCommand(envelope))).toBe('REQUEST_TOO_LARGE');
  });
});

describe('hostile bytes', () => {
  test.each(Object.keys(hostileStructures))('%s -> FRAME_INVALID', (name) => {
    expect(codeOf(() => decodeCommand(hostileStructures[name]!))).toBe('FRAME_INVALID');
  });

  test('no bytes -> FRAME_INVALID', () => {
    expect(codeOf(() => decodeCommand(new Uint8Array(0)))).toBe('FRAME_INVALID');
  });

  test.each([0, 2, 255])('version %i -> FORMAT_UNSUPPORTED', (version) => {
    const bytes = encodeCommand(commandSamples.put!);
    bytes[0] = version;
    expect(codeOf(() => decodeCommand(bytes))).toBe('FORMAT_UNSUPPORTED');
  });

  test('random bytes -> a command or a refusal', () => {
    fc.assert(
      fc.property(randomBytes, (bytes) => expectDecodedOrRefused(() => decodeCommand(bytes))),
      { numRuns: 2000 },
    );
  });

  test('damaged commands -> a refusal, or a command that is encoded again without loss', () => {
    fc.assert(
      fc.property(mutated(envelopes.map(encodeCommand)), (bytes) => {
        expectDecodedOrRefused(() => {
          const envelope = decodeCommand(bytes);
          expect(decodeCommand(encodeCommand(envelope))).toEqual(envelope);
        });
      }),
      { numRuns: 1000 },
    );
  });
});

function txnOf(compare: object): object {
  return { op: 'txn', compares: [compare], success: [], failure: [] };
}
