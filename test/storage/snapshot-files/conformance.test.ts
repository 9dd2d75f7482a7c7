// The conformance suite of SnapshotStore on every one there is.
import { MemorySnapshotStore } from '../../../src/storage/memory/snapshot-store.js';
import { SnapshotFiles } from '../../../src/storage/snapshot-files/store.js';
import { snapshotStoreSuite } from '../../../src/testing/index.js';
import { folderRig, memoryRig, runner, simRig } from '../rigs.js';

const depth = Math.max(1, Math.floor(Number(process.env.KONTIKI_DEPTH ?? 1)));
const noPowerLoss = 'nobody can cut the power of this machine; the simulated disk plays it';

snapshotStoreSuite({
  runner,
  name: 'memory snapshot store',
  factory: () => memoryRig(new MemorySnapshotStore({ keep: 2 })),
});

snapshotStoreSuite({
  runner,
  name: 'snapshot files, simulated disk',
  runs: 20 * depth,
  factory: (seed) =>
    simRig(seed, (_machine, { fs }) => SnapshotFiles.open({ fs, dir: 'data/snap' })),
});

snapshotStoreSuite({
  runner,
  name: 'snapshot files, platform',
  factory: () =>
    folderRig((folder, fs) =>
      SnapshotFiles.open({ fs, dir: `${folder}/snap`, keep: 3, chunkBytesMax: 1_000 }),
    ),
  skip: [
    'power loss: a committed snapshot -> there and whole',
    'power loss: in the middle of writing -> no trace, and room for the next',
    'power loss: before and after each effect of a snapshot -> old or new, whole',
  ].map((test) => ({ test, reason: noPowerLoss })),
});
