/**
 * A snapshot written, verified and read, against plain writes of the same bytes with one sync.
 */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { Sha256 } from '../../src/base/sha256.js';
import { SnapshotFiles, type SnapshotMeta } from '../../src/storage/index.js';
import { nodeFileSystem } from '../../src/storage/node-fs/index.js';
import { MiB } from './gauges.js';
import { payload, type Report } from './report.js';

const snapshotBytes = 64 * MiB;
const chunkBytes = 256 * 1024;
const sha256 = (): ReturnType<typeof createHash> => createHash('sha256');
const since = (start: number): number => performance.now() - start;

async function writeSnapshot(store: SnapshotFiles, index: number): Promise<SnapshotMeta> {
  const sink = await store.create({ index, term: 1 }, { voters: [1, 2, 3] });
  const chunk = payload(chunkBytes);
  for (let done = 0; done < snapshotBytes; done += chunk.length) await sink.write(chunk);
  return sink.commit();
}

async function writePlain(path: string): Promise<void> {
  const file = await open(path, 'w');
  const chunk = payload(chunkBytes);
  for (let done = 0; done < snapshotBytes; done += chunk.length) await file.write(chunk);
  await file.datasync();
  await file.close();
}

async function readSnapshot(store: SnapshotFiles, meta: SnapshotMeta): Promise<void> {
  let bytes = 0;
  for await (const chunk of store.read(meta)) bytes += chunk.length;
  if (bytes !== snapshotBytes) throw new Error(`expected ${snapshotBytes} bytes, got ${bytes}`);
}

/** Measures in a folder of its own. */
export async function snapshots(folder: string, report: Report): Promise<void> {
  const rate = (start: number): number => snapshotBytes / MiB / (since(start) / 1_000);
  const native = await SnapshotFiles.open({ fs: nodeFileSystem, dir: `${folder}/native`, sha256 });
  const portable = await SnapshotFiles.open({
    fs: nodeFileSystem,
    dir: `${folder}/portable`,
    sha256: () => new Sha256(),
  });
  for (const round of [1, 2]) {
    let start = performance.now();
    await writePlain(`${folder}/plain`);
    const plain = rate(start);
    start = performance.now();
    const meta = await writeSnapshot(native, round);
    const written = rate(start);
    start = performance.now();
    await writeSnapshot(portable, round);
    const slow = rate(start);
    start = performance.now();
    await readSnapshot(native, meta);
    const read = rate(start);
    await native.prune();
    await portable.prune();
    if (round === 1) continue;
    report('plain writes, one datasync', plain, 'MiB/s');
    report('snapshot written, hash of the platform', written, 'MiB/s');
    report('snapshot written, portable hash', slow, 'MiB/s');
    report('snapshot read and verified', read, 'MiB/s');
  }
  const start = performance.now();
  const again = await SnapshotFiles.open({ fs: nodeFileSystem, dir: `${folder}/native`, sha256 });
  report('open a folder with it', since(start), 'ms', 2);
  await again.close();
}
