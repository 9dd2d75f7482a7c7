// The heap against its slow twin: an array that is searched.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type HeapItem, LeaseHeap } from '../../src/mvcc/lease-heap.js';

const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ add: fc.nat(20) }) },
    { weight: 1, arbitrary: fc.record({ remove: fc.nat(50) }) },
    { weight: 1, arbitrary: fc.constant({ pop: true as const }) },
  ),
  { maxLength: 120, size: 'max' },
);

test('lease heap: any additions and removals -> the first is always one due first', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const heap = new LeaseHeap<HeapItem>();
      let twin: HeapItem[] = [];
      for (const step of all) {
        if ('add' in step) {
          const item = { dueMs: step.add, heapAt: -1 };
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
        expect(heap.first?.dueMs).toBe(
          twin.length === 0 ? undefined : Math.min(...twin.map(({ dueMs }) => dueMs)),
        );
      }
      const order: number[] = [];
      while (heap.first !== undefined) {
        order.push(heap.first.dueMs);
        heap.remove(heap.first);
      }
      expect(order).toEqual(twin.map(({ dueMs }) => dueMs).sort((a, b) => a - b));
    }),
  );
});
