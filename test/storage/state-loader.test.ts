import { expect, test } from 'vitest';
import type { StoredRecord } from '../../src/mvcc/backend.js';
import type { EngineBatch } from '../../src/storage/kv-engine.js';
import { MemoryEngine } from '../../src/storage/memory/kv-engine.js';
import { StateLoader } from '../../src/storage/state-loader.js';

class SyncsSeen extends MemoryEngine {
  readonly syncs: boolean[] = [];

  override write(batch: EngineBatch, options: { readonly sync: boolean }): Promise<void> {
    this.syncs.push(options.sync);
    return super.write(batch, options);
  }
}

test('state loader: a load of several batches -> every one of them is synced', async () => {
  const engine = new SyncsSeen();
  const loader = await StateLoader.begin(engine, { batchBytes: 100 });
  engine.syncs.length = 0;
  const records = Array.from({ length: 20 }, (_, at): StoredRecord => {
    return [`h${String(at).padStart(3, '0')}`, new Uint8Array(30)];
  });
  for (const record of records) await loader.add([record]);
  await loader.finish(7);
  expect(engine.syncs.length).toBeGreaterThan(3);
  expect(engine.syncs).not.toContain(false);
});
