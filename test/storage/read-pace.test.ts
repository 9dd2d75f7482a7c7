// When single keys are read inside a call: on a clock that stands still unless a read is slow.
import { expect, test } from 'vitest';
import { ReadPace } from '../../src/storage/read-pace.js';

class Disk {
  ms = 0;
  reads = 0;
  /** Of each read. */
  readMs = 0;
  readonly pace = new ReadPace({ monotonicMs: () => this.ms, wallMs: () => 0 });

  read(...keys: string[]): readonly (Uint8Array | undefined)[] | undefined {
    return this.pace.read(keys, (key) => {
      this.reads += 1;
      this.ms += this.readMs;
      return key === 'absent' ? undefined : new TextEncoder().encode(key);
    });
  }
}

const bytes = (key: string): Uint8Array => new TextEncoder().encode(key);

test('pace: fast reads -> answered in order, however many calls', () => {
  const disk = new Disk();
  for (let nth = 0; nth < 1_000; nth += 1) {
    expect(disk.read('a', 'absent', 'b')).toEqual([bytes('a'), undefined, bytes('b')]);
  }
});

test('pace: 128 keys -> answered; 129 -> left to another thread, not one read', () => {
  const disk = new Disk();
  expect(disk.read(...Array<string>(128).fill('a'))).toHaveLength(128);
  expect(disk.read(...Array<string>(129).fill('a'))).toBeUndefined();
  expect(disk.reads).toBe(128);
});

test('pace: three slow reads in a row -> no more for 100 ms, then three again', () => {
  const disk = new Disk();
  disk.readMs = 10;
  for (const round of [1, 2]) {
    expect(disk.read('a', 'b', 'c', 'd')).toBeUndefined();
    expect(disk.reads).toBe(3 * round);
    disk.ms += 99;
    expect(disk.read('a')).toBeUndefined();
    disk.ms += 1;
    expect(disk.reads).toBe(3 * round);
  }
  disk.readMs = 0;
  expect(disk.read('a')).toEqual([bytes('a')]);
});

test('pace: a slow read now and then -> goes on', () => {
  const disk = new Disk();
  for (let nth = 0; nth < 2_000; nth += 1) {
    disk.readMs = nth % 40 === 0 ? 5 : 0;
    expect(disk.read('a')).toBeDefined();
  }
});
