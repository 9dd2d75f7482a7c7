// Goal: a change of the configuration comes out of its entry as it went in, these bytes stay what they
// are, and no others are taken for a change.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ConfChange,
  type ConfChangeV2,
  decodeConfChange,
  encodeConfChange,
} from '../../src/raft/index.js';

const types = fc.constantFrom('add-voter', 'add-learner', 'remove', 'update');
const single = fc.record({ type: types, memberId: fc.maxSafeNat() });
const context = fc.uint8Array({ maxLength: 20 });
const one = fc.record({ type: types, memberId: fc.maxSafeNat(), id: fc.maxSafeNat(), context });
const many = fc.record({
  transition: fc.constantFrom('auto', 'joint-implicit', 'joint-explicit'),
  changes: fc.array(single, { maxLength: 5 }),
  context,
});

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const invalid = expect.objectContaining({
  code: 'CONFIGURATION_INVALID',
  reason: 'unknown-change',
});

describe('changes as bytes', () => {
  test('any change -> itself', () => {
    fc.assert(
      fc.property(fc.oneof(one, many), (change) => {
        const decoded = decodeConfChange(encodeConfChange(change as ConfChange | ConfChangeV2));
        const { context: left, ...rest } = change;
        expect(decoded).toMatchObject(rest);
        expect(decoded.context ?? new Uint8Array(0)).toEqual(left);
      }),
    );
  });

  test.each<[string, ConfChange | ConfChangeV2, string]>([
    ['V1', { type: 'remove', memberId: 258, id: 7 }, '010200000000000001020000000000000007'],
    [
      'V2',
      { transition: 'joint-explicit', changes: [{ type: 'add-learner', memberId: 2 ** 53 - 1 }] },
      '0202000101001fffffffffffff',
    ],
    ['leave', { transition: 'auto', changes: [] }, ''],
    [
      'leave, told why',
      { transition: 'auto', changes: [], context: Uint8Array.of(9) },
      '0200000009',
    ],
  ])('%s: the bytes of this release', (_, change, bytes) => {
    expect(hex(encodeConfChange(change).data)).toBe(bytes);
  });

  test('cut anywhere -> refused, or another change; never half read', () => {
    const change: ConfChangeV2 = { transition: 'auto', changes: [{ type: 'remove', memberId: 3 }] };
    const { type, data } = encodeConfChange(change);
    for (let size = 1; size < data.length; size += 1) {
      expect(() => decodeConfChange({ type, data: data.subarray(0, size) })).toThrow(invalid);
    }
  });

  test.each([
    ['an id beyond 2^53-1', 'config-change', '010000200000000000000000000000000000'],
    ['an unknown type', 'config-change', '010900000000000000010000000000000000'],
    ['an unknown transition', 'config-change-v2', '02090000'],
    ['another version', 'config-change-v2', '03000000'],
  ] as const)('%s -> CONFIGURATION_INVALID', (_, type, bytes) => {
    const data = Uint8Array.from(Buffer.from(bytes, 'hex'));
    expect(() => decodeConfChange({ type, data })).toThrow(invalid);
  });

  test.each([-1, 0.5, 2 ** 53, Number.NaN])('member id %d -> refused, not written', (memberId) => {
    expect(() => encodeConfChange({ type: 'remove', memberId })).toThrow(invalid);
  });
});
