// The heap against its slow twin: an array that is searched.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DueHeap, type HeapItem } from '../../src/base/due-heap.js';

const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ add: fc.nat(20) }) },
    { weight: 1, arbitrary: fc.record({ remove: fc.nat(50) }) },
    { weight: 1, arbitrary: fc.constant({ pop: true as const }) },
  ),
  { maxLength: 120, size: 'max' },
);

test('due heap: any additions and removals -> the first is always one due first', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const heap = new DueHeap<HeapItem>();
      let twin: HeapItem[] = [];
      for (const step of all) {
        if ('add' in step) {
          const item = { due: step.add, heapAt: -1 };
          heap.add(item);
          twin.push(item);
        } else {
          const item = 'pop' in step ? heap.first : twin[step.remove];
          if (item === undefined) continue;
          heap.remove(item);
          expect(item.heapAt).toBe(-1);
          heap.remove(item);
          twin = twin.filter((it) => it !== item);
        }
        expect(heap.size).toBe(twin.length);
        expect(heap.first?.due).toBe(
          twin.length === 0 ? undefined : Math.min(...twin.map(({ due }) => due)),
        );
      }
      const order: number[] = [];
      while (heap.first !== undefined) {
        order.push(heap.first.due);
        heap.remove(heap.first);
      }
      expect(order).toEqual(twin.map(({ due }) => due).sort((a, b) => a - b));
    }),
  );
});
