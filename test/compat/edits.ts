// Changes to the data directory of a stopped member, for tests.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { crc32 } from '../../src/base/crc32.js';
import { openClassicLevel } from '../../src/storage/classic-level/index.js';
import type { EnginePair, KvEngine } from '../../src/storage/kv-engine.js';

/** Path of the folder that a snapshot was installed in, else of the first one. */
export function stateOf(dir: string): string {
  return `${dir}/${readdirSync(dir).find((name) => name.startsWith('state-')) ?? 'state'}`;
}

/** Path of the only file of a folder. */
export function onlyIn(folder: string): string {
  return `${folder}/${readdirSync(folder)[0]}`;
}

export function edit(path: string, change: (bytes: Buffer) => Buffer): void {
  writeFileSync(path, change(readFileSync(path)));
}

/** Records whose key begins so. */
export async function recordsOf(engine: KvEngine, start: string): Promise<readonly EnginePair[]> {
  const cursor = engine.iterate({ gte: start, lt: `${start}\xff` });
  const found = await cursor.next(100_000);
  await cursor.close();
  return found;
}

/** Changes every record whose key begins so, in the way of the engine. */
export async function editRecords(
  dir: string,
  start: string,
  change: (key: string, value: DataView) => void,
): Promise<void> {
  const engine = await openClassicLevel(stateOf(dir));
  const changes = (await recordsOf(engine, start)).map(([key, value]): EnginePair => {
    const copy = value.slice();
    change(key, new DataView(copy.buffer));
    return [key, copy];
  });
  if (changes.length === 0) throw new Error(`expected a record ${start}`);
  await engine.write(changes, { sync: true });
  await engine.close();
}

/** Raises the layout of a record that the keyspace seals, with a right checksum. */
export function raiseKeyspace(_: string, value: DataView): void {
  value.setUint8(4, 2);
  value.setUint32(0, crc32(new Uint8Array(value.buffer, 4)));
}
