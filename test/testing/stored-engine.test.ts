// What an engine's own logs keep when power goes: LevelDB does not sync the log that it has filled.
import { beforeEach, expect, test } from 'vitest';
import { StoredEngine } from '../../src/testing/stored-engine.js';

let engine: StoredEngine;

const write = (key: string, sync: boolean): void =>
  engine.write(new Map([[key, Uint8Array.of(1)]]), sync);
const keysAfterLoss = (kept: number): string => {
  engine.crash((bound) => Math.min(kept, bound - 1));
  return engine.view
    .pairs()
    .map(([key]) => key)
    .join('');
};

beforeEach(() => {
  engine = new StoredEngine();
});

test('a sync -> all before it in the same log is durable', () => {
  write('a', false);
  write('b', true);
  write('c', false);
  expect(keysAfterLoss(0)).toBe('ab');
});

test.each([
  [0, 'cd'],
  [1, 'acd'],
  [2, 'abcd'],
])('a sync of a new log, %i batches of the old one on the disk -> %s', (kept, left) => {
  write('a', false);
  write('b', false);
  engine.beginLog();
  write('c', false);
  write('d', true);
  expect(keysAfterLoss(kept)).toBe(left);
  expect(keysAfterLoss(0)).toBe(left);
});

test('the log after the next -> the buffer of the first is in a table, nothing of it is lost', () => {
  write('a', false);
  engine.beginLog();
  write('b', false);
  engine.beginLog();
  expect(keysAfterLoss(0)).toBe('a');
});

test('syncs that lie -> neither they nor a new log save anything', () => {
  engine.lyingSyncs = true;
  write('a', true);
  engine.beginLog();
  write('b', true);
  engine.beginLog();
  expect(keysAfterLoss(0)).toBe('');
});
