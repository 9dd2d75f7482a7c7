// A stream of a whole state: its records come in the order of their keys, each key once, as every view of a
// state gives them, or it is none.
import { describe, expect, test } from 'vitest';
import { encodeStatePart, type StatePart } from '../../src/codec/state-part-codec.js';
import { StateRecordsReader } from '../../src/codec/state-records.js';

const records = (...keys: string[]): StatePart => {
  return { kind: 'records', records: keys.map((key) => [key, Uint8Array.of(1)]) };
};

/** The keys of a stream of such parts, or what is wrong with it. */
function keysOf(...parts: StatePart[]): string | string[] {
  const reader = new StateRecordsReader(3, (problem) => new Error(problem) as never);
  const keys: string[] = [];
  const count = parts.reduce(
    (sum, part) => sum + (part.kind === 'records' ? part.records.length : 0),
    0,
  );
  try {
    for (const part of [
      { kind: 'begin', appliedIndex: 3 } as const,
      ...parts,
      { kind: 'end', count } as const,
    ]) {
      reader.push(encodeStatePart(part).slice());
      for (let some = reader.next(); some !== undefined; some = reader.next()) {
        for (const [key] of some) keys.push(key);
      }
    }
    reader.end();
    return keys;
  } catch (error) {
    return (error as Error).message;
  }
}

describe('the keys of a state', () => {
  test('ascending by their bytes, over parts -> taken', () => {
    const keys = ['', '\0', 'a', 'a\0', 'aa', 'b', '\x7f', '\x80', '\xfe\xff'];
    expect(keysOf(records(...keys))).toEqual(keys);
    expect(keysOf(records('a', 'b'), records(), records('c'))).toEqual(['a', 'b', 'c']);
  });

  test.each([
    ['twice in a part', [records('a', 'b', 'b')]],
    ['twice, the first of all', [records('', '')]],
    ['twice, in two parts', [records('a', 'b'), records(), records('b', 'c')]],
    ['descending', [records('b', 'a')]],
    ['descending over parts', [records('b'), records('a')]],
    ['an early one again behind others', [records('a', 'b', 'c', 'a')]],
  ])('%s -> refused', (_, parts) => {
    expect(keysOf(...parts)).toBe('its records are not in the order of their keys, each once');
  });
});
