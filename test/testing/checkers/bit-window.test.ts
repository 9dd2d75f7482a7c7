// Goal: the short form of a set tells sets apart exactly as a list of its members does.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BitWindow } from '../../../src/testing/checkers/bit-window.js';

const depth = Math.max(1, Math.floor(Number(process.env.KONTIKI_DEPTH ?? 1)));

test(
  'sets filled and emptied like a stack -> equal units exactly for equal sets',
  () => {
    const size = 70;
    // How many to take back, then what to add: what comes late is likely to be a high number.
    const step = fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 9 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
        const window = new BitWindow(size);
        const stack: number[] = [];
        const membersOf = new Map<string, string>();
        const unitsOf = new Map<string, string>();
        for (const [back, skip] of steps) {
          for (let at = 0; at < back - 3 && stack.length > 0; at += 1) window.remove(stack.pop()!);
          const free = Array.from({ length: size }, (_, bit) => bit).filter(
            (it) => !stack.includes(it),
          );
          const bit = free[Math.min(skip, free.length - 1)];
          if (bit === undefined) continue;
          stack.push(bit);
          window.add(bit);
          const units: number[] = [];
          window.write(units);
          const [own, members] = [units.join(), [...stack].sort((a, b) => a - b).join()];
          expect(membersOf.get(own) ?? members).toBe(members);
          expect(unitsOf.get(members) ?? own).toBe(own);
          membersOf.set(own, members);
          unitsOf.set(members, own);
        }
      }),
      { numRuns: 200 * depth },
    );
  },
  60_000 * depth,
);

test('a set that is nearly all of the low numbers -> written down in a few units', () => {
  const window = new BitWindow(100_000);
  for (let bit = 0; bit < 90_000; bit += 1) if (bit !== 89_990) window.add(bit);
  const units: number[] = [];
  window.write(units);
  expect(units.length).toBeLessThan(8);
});
