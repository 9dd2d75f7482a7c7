// What a log may let go of, against a slow twin that looks at every index.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../src/base/limits.js';
import {
  type RetentionFacts,
  type RetentionLimits,
  unneededIndex,
} from '../../src/node/log-retention.js';

const MiB = 1024 * 1024;

/** A log of entries of one size, all durable, nobody behind. */
function facts(count: number, size: number, others: Partial<RetentionFacts> = {}): RetentionFacts {
  return {
    firstIndex: 1,
    lastIndex: count,
    durableIndex: count,
    matches: [],
    bytesAbove: (index) => Math.max(0, count - index) * size,
    ...others,
  };
}

describe('log retention', () => {
  test('few entries of many bytes -> none goes', () => {
    expect(unneededIndex(facts(limits.retainedEntriesMin, MiB))).toBe(0);
    expect(unneededIndex(facts(limits.retainedEntriesMin + 1, MiB))).toBe(1);
  });

  test('many entries of few bytes -> none goes', () => {
    const count = 64 * 1024;
    expect(unneededIndex(facts(count, 1_023))).toBe(0);
    expect(unneededIndex(facts(count, 1_024))).toBe(0);
    expect(unneededIndex(facts(count + 7, 1_024))).toBe(7);
  });

  test('never above the durable index', () => {
    expect(unneededIndex(facts(100_000, 10_000, { durableIndex: 40 }))).toBe(40);
  });

  test('an active follower that is behind -> what it needs stays, up to 1 GiB', () => {
    const count = 2_000_000;
    const free = unneededIndex(facts(count, 1_024));
    expect(free).toBe(count - 64 * 1_024);
    const behind = (match: number) =>
      unneededIndex(facts(count, 1_024, { matches: [match, 10 ** 9] }));
    expect(behind(free - 100)).toBe(free - 100);
    expect(behind(free + 100)).toBe(free);
    const oldest = count - 1_024 * 1_024;
    expect(behind(oldest + 1)).toBe(oldest + 1);
    expect(behind(oldest - 1)).toBe(oldest);
    expect(behind(0)).toBe(oldest);
  });

  test('a log that starts late and is short -> the entry before it', () => {
    const late = { firstIndex: 501, lastIndex: 600, durableIndex: 600 };
    expect(unneededIndex(facts(600, 10 * MiB, late))).toBe(500);
    expect(unneededIndex(facts(600, 10 * MiB, { ...late, durableIndex: 20 }))).toBe(500);
  });

  test('any facts -> as the slow twin says', () => {
    const property = fc.property(
      fc.array(fc.nat(40), { maxLength: 60 }),
      fc.nat(20),
      fc.nat(90),
      fc.array(fc.nat(90), { maxLength: 4 }),
      fc.record({ entriesMin: fc.nat(30), bytesMin: fc.nat(600), more: fc.nat(900) }),
      (sizes, base, durable, matches, { entriesMin, bytesMin, more }) => {
        const lastIndex = base + sizes.length;
        const given: RetentionFacts = {
          firstIndex: base + 1,
          lastIndex,
          durableIndex: Math.min(durable, lastIndex),
          matches,
          bytesAbove: (index) => sizes.slice(Math.max(0, index - base)).reduce((a, b) => a + b, 0),
        };
        const kept = { entriesMin, bytesMin, bytesMax: bytesMin + 1 + more };
        expect(unneededIndex(given, kept)).toBe(slowTwin(given, kept));
      },
    );
    fc.assert(property, { numRuns: 2_000 });
  });
});

/** The highest index that may go, tried one by one from the top. */
function slowTwin(given: RetentionFacts, kept: RetentionLimits): number {
  const none = given.firstIndex - 1;
  for (let index = given.lastIndex; index > none; index -= 1) {
    const bytes = given.bytesAbove(index);
    const isFree =
      index <= given.durableIndex &&
      given.lastIndex - index >= kept.entriesMin &&
      bytes >= kept.bytesMin;
    const isNeeded = given.matches.some((match) => match < index) && bytes < kept.bytesMax;
    if (isFree && !isNeeded) return index;
  }
  return none;
}
