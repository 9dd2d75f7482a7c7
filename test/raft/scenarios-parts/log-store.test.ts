/** The log stores put to the list of `log-store-checks.ts`, and the core in front of one: rows M. */
import { describe, expect, test } from 'vitest';
import { MemoryLogStore } from '../../../src/storage/index.js';
import { openWal } from '../../../src/storage/wal/index.js';
import { FakeFiles } from '../../storage/wal/fake-files.js';
import { snapshotAt } from './disk.js';
import { type LogStoreRig, logStoreChecks } from './log-store-checks.js';
import { only, Solo } from './solo.js';

const rigs: Readonly<Record<string, LogStoreRig>> = {
  'in memory': {
    open: async (voters) => new MemoryLogStore({ voters }),
    costOf: ({ data }) => data.length + 16,
    truncatesExactly: true,
  },
  'in files': {
    open: (voters) => {
      const sizes = { segmentBytes: 1 << 20, preallocateBytes: 4_096 };
      return openWal({ fs: new FakeFiles(), dir: 'log', voters, ...sizes });
    },
    costOf: ({ data }) => data.length + 24,
    truncatesExactly: false,
  },
};

describe.each(Object.entries(rigs))('log store %s', (_, rig) => {
  test.each(logStoreChecks)('$name', ({ run }) => run(rig));
});

describe('snapshots in front of a store', () => {
  test.each([false, true])(
    'M-7: to 4, then to 3, asynchronously: %s -> only the newer is written',
    (asyncStorageWrites) => {
      const solo = new Solo({ asyncStorageWrites });
      const configuration = { voters: [1, 2, 3] };
      const send = (index: number) => {
        const snapshot = snapshotAt(index, index, configuration);
        solo.step({ kind: 'snapshot-request', from: 2, term: 4, snapshot });
        const ready = solo.ready();
        const answers = [...ready.messages, ...solo.persist()];
        if (!asyncStorageWrites) solo.node.advance();
        return { written: ready.append?.snapshot?.last.index, answers };
      };
      const first = send(4);
      expect(first.written).toBe(4);
      expect(only(first.answers, 'append-response')).toMatchObject([{ index: 4 }]);
      const second = send(3);
      expect(second.written).toBeUndefined();
      expect(only(second.answers, 'append-response')).toMatchObject([{ index: 4 }]);
      expect([solo.disk.firstIndex(), solo.disk.lastIndex()]).toEqual([5, 4]);
    },
  );
});
