// Pairs as callers see them.
import { inspect } from 'node:util';
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

  test('a value that is a Buffer: copied all the same', () => {
    const value = Buffer.from('value');
    const kv = KeyValue.of({ ...stored, value });
    kv.value.fill(0);
    expect(value.toString()).toBe('value');
    expect(kv.value).not.toBeInstanceOf(Buffer);
  });

  test('a byte order mark is part of a key and of a value, like any other bytes', () => {
    const value = new TextEncoder().encode('\ufeffx');
    const kv = KeyValue.of({ ...stored, key: '\xef\xbb\xbfk', value });
    expect([kv.keyText(), kv.text()]).toEqual(['\ufeffk', '\ufeffx']);
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

describe('what console.log shows of a KeyValue', () => {
  test('text where it is text, and every number', () => {
    expect(inspect(KeyValue.of(stored), { breakLength: Infinity })).toBe(
      "KeyValue { key: 'café', value: '{\"n\":1}', createRevision: 2, modRevision: 4, version: 3, " +
        'lease: 4611686018427387904n }',
    );
  });

  test('bytes where they are no UTF-8; no lease when there is none', () => {
    const kv = KeyValue.of({
      ...stored,
      key: '\xff',
      value: new Uint8Array([0xc3]),
      lease: undefined,
    });
    expect(inspect(kv, { breakLength: Infinity })).toBe(
      'KeyValue { key: Uint8Array(1) [ 255 ], value: Uint8Array(1) [ 195 ], createRevision: 2, ' +
        'modRevision: 4, version: 3 }',
    );
  });

  test('inside of something else: indented with it, and cut off at the depth asked for', () => {
    const kvs = { kvs: [KeyValue.of({ ...stored, value: new Uint8Array(0) })] };
    expect(inspect(kvs)).toMatch(
      /\{\n {2}kvs: \[\n {4}KeyValue \{\n {6}key: 'café',\n {6}value: '',/,
    );
    expect(inspect(kvs, { depth: 1 })).toBe('{ kvs: [ [KeyValue] ] }');
  });

  test('where nothing can inspect: the plain fields', () => {
    const kv = KeyValue.of(stored) as unknown as Record<symbol, () => unknown>;
    const shown = kv[Symbol.for('nodejs.util.inspect.custom')]?.();
    expect(shown).toMatchObject({ key: 'café', version: 3 });
  });
});
