// Backups in tests: as one piece of bytes, and stores with something of everything in them.
import type { Backup } from '../../src/backup/backup.js';
import type { Store } from '../../src/store/store.js';

export async function bytesOf(backup: Backup): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of backup) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Versions, deletes, history that is compacted, odd keys, leases. @returns the last revision */
export async function fill(store: Store): Promise<number> {
  await store.lease(5_000, { id: 77n });
  for (let nth = 0; nth < 12; nth += 1) await store.put(`k${nth % 5}`, `v${nth}`);
  await store.compact(6);
  await store.put(new Uint8Array([0, 255, 0]), new Uint8Array(300).fill(7));
  await store.put('../../escape', 'x');
  await store.put('leased', '1', { lease: 77n });
  const { revision } = await store.delete('k3');
  return revision;
}

/** All that a store holds, at each revision that it can be asked about. */
export async function contentOf(store: Store, fromRevision: number) {
  const { revision } = await store.range({ prefix: '' });
  const content: string[][] = [];
  for (let at = fromRevision; at <= revision; at += 1) {
    const { kvs } = await store.range({ prefix: '', revision: at });
    content.push(
      kvs.map(
        (kv) =>
          [kv.key, kv.value].map((bytes) => Buffer.from(bytes).toString('hex')).join('=') +
          ` ${kv.createRevision} ${kv.modRevision} ${kv.version} ${kv.lease}`,
      ),
    );
  }
  return { revision, content, leases: await store.leases() };
}
