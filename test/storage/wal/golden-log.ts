/** The log in test/compat/wal-v1: each kind of record, three segments, the first ones removed. */
import type { SnapshotMark } from '../../../src/storage/log-store.js';
import { FakeFiles, type Image } from './fake-files.js';
import { append, bytes, dir, entries, entry, openLog } from './log.js';

/** What it was written with: small files, no zeros. */
export const goldenOptions = { segmentBytes: 1_024, preallocateBytes: 0 };

export const goldenSnapshot: SnapshotMark = {
  last: { term: 3, index: 40 },
  configuration: { voters: [1, 2, 4], votersOutgoing: [1, 2, 3], learners: [9], autoLeave: true },
};

/** What it holds. */
export const goldenContents = {
  first: 41,
  entries: [...entries(3, 41, 44, 90), entry(4, 44, new Uint8Array(600)), entry(4, 45, bytes(3))],
  hardState: { term: 4, vote: 2, commit: 44 },
  configuration: { voters: [1, 2, 4] },
};

/** Writes it anew. */
export async function goldenLog(): Promise<Image> {
  const fs = new FakeFiles();
  const log = await openLog(fs, goldenOptions);
  const configuration = { index: 2, configuration: { voters: [1, 2, 3], learners: [4] } };
  await append(log, entries(1, 1, 4, 200), { term: 1, vote: 1, commit: 2 });
  await log.append({ configuration, entries: [], mustSync: true });
  for (let at = 4; at < 12; at += 2) await append(log, entries(1, at, at + 2, 200));
  await append(log, entries(2, 11, 13, 60), { term: 2, vote: 0, commit: 10 });
  await log.append({
    snapshot: goldenSnapshot,
    entries: entries(3, 41, 44, 90),
    hardState: { term: 3, vote: 0, commit: 41 },
    mustSync: true,
  });
  await log.truncate(40);
  await append(log, [entry(4, 44, new Uint8Array(600))], { term: 4, vote: 2, commit: 43 });
  await log.installed(goldenSnapshot.last);
  const left = { index: 44, configuration: goldenContents.configuration };
  await append(log, [entry(4, 45, bytes(3))], { term: 4, vote: 2, commit: 44 });
  await log.append({ configuration: left, entries: [], mustSync: true });
  await log.close();
  return new Map([...fs.image()].map(([path, file]) => [path.slice(dir.length + 1), file]));
}
