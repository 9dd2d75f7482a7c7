// Pairs as callers see them.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KeyVersion } from '../../src/mvcc/index.js';
import { KeyValue } from '../../src/store/key-value.js';

const stored: KeyVersion = {
  key: 'caf\xc3\xa9',
  value: new TextEncoder().encode('{"n":1}'),
  createRevision: 2,
  modRevision: 4,
  version: 3,
  lease: 2n ** 62n,
};

describe('KeyValue', () => {
  test('text, JSON and numbers of a stored version', () => {
    const kv = KeyValue.of(stored);
    expect(kv.keyText()).toBe('café');
    expect(kv.text()).toBe('{"n":1}');
    expect(kv.json<{ n: number }>().n).toBe(1);
    const { createRevision, modRevision, version, lease } = kv;
    expect([createRevision, modRevision, version, lease]).toEqual([2, 4, 3, 2n ** 62n]);
  });

  test('no lease: undefined, and left out of the JSON', () => {
    const kv = KeyValue.of({ ...stored, lease: undefined });
    expect(kv.lease).toBeUndefined();
    expect(Object.keys(kv.toJSON())).not.toContain('lease');
  });

  test('the bytes are copies: changing them leaves the store alone', () => {
    const kv = KeyValue.of(stored);
    kv.value.fill(0);
    kv.key.fill(0);
    expect(KeyValue.of(stored).text()).toBe('{"n":1}');
    expect(kv.text()).toBe('{"n":1}');
    expect(kv.value).toBe(kv.value);
  });

  test('a value that is a view into a larger buffer: only its own bytes', () => {
    const large = new TextEncoder().encode('xxvaluexx');
    const kv = KeyValue.of({ ...stored, value: large.subarray(2, 7) });
    expect(kv.value.buffer.byteLength).toBe(5);
    expect(kv.text()).toBe('value');
  });

  test('a value that is not JSON -> SyntaxError', () => {
    const kv = KeyValue.of({ ...stored, value: new Uint8Array(0) });
    expect(() => kv.json()).toThrow(SyntaxError);
  });

  test('toJSON: base64 that gives any bytes back, the lease as a decimal string', () => {
    expect(JSON.parse(JSON.stringify(KeyValue.of(stored)))).toEqual({
      key: 'Y2Fmw6k=',
      value: 'eyJuIjoxfQ==',
      createRevision: 2,
      modRevision: 4,
      version: 3,
      lease: '4611686018427387904',
    });
    fc.assert(
      fc.property(fc.uint8Array(), (value) => {
        const json = KeyValue.of({ ...stored, value }).toJSON();
        expect(new Uint8Array(Buffer.from(json.value, 'base64'))).toEqual(value);
      }),
    );
  });
});
