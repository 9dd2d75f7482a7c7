// The conformance suite of LogStore on each one there is.
import { MemoryLogStore } from '../../src/storage/memory/log-store.js';
import { openWal } from '../../src/storage/wal/index.js';
import { logStoreSuite } from '../../src/testing/index.js';
import { folderRig, memoryRig, runner, simRig } from './rigs.js';

const depth = Math.max(1, Math.floor(Number(process.env.KONTIKI_DEPTH ?? 1)));
const voters = [1, 2, 3];

logStoreSuite({
  runner,
  name: 'memory log store',
  runs: 100 * depth,
  factory: () => memoryRig<MemoryLogStore>(new MemoryLogStore({ voters })),
});

logStoreSuite({
  runner,
  name: 'write-ahead log, simulated disk',
  runs: 40 * depth,
  factory: (seed) => {
    // Small segments, so that one test sees several; no cache, so that old entries are read back.
    const sizes = { segmentBytes: seed % 2 > 0 ? 4_096 : 1 << 20, preallocateBytes: 4_096 };
    const dir = 'data/log';
    return simRig(seed, (_machine, { fs }) =>
      openWal({ fs, dir, voters, cacheBytes: 0, ...sizes }),
    );
  },
});

logStoreSuite({
  runner,
  name: 'write-ahead log, platform',
  factory: () =>
    folderRig((folder, fs) =>
      openWal({ fs, dir: `${folder}/log`, voters, segmentBytes: 8_192, preallocateBytes: 4_096 }),
    ),
  skip: [
    'power loss: random appends -> all that was acknowledged, nothing that was not issued',
    'power loss: a snapshot in place of the log, and its install -> there once acknowledged',
    'power loss: before and after each effect of an append -> all of it or nothing',
  ].map((test) => ({
    test,
    reason: 'nobody can cut the power of this machine; the simulated disk plays it',
  })),
});
