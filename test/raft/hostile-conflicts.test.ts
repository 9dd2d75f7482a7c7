// A peer that names positions which are nowhere must not have the whole log walked for each message.
import { expect, test } from 'vitest';
import { Prng } from '../../src/base/prng.js';
import { RawNode } from '../../src/raft/index.js';
import { TermRuns } from '../../src/storage/wal/term-runs.js';

test('appends behind an entry of term 0, of which there is none -> a few looks each', () => {
  const last = 500_000;
  const terms = new TermRuns();
  for (let index = 1; index <= last; index += 1) terms.append(index, 5);
  let looks = 0;
  const reader = {
    initialState: () => ({ hardState: { term: 5, vote: 0, commit: last }, voters: [1, 2, 3] }),
    firstIndex: () => terms.base + 1,
    lastIndex: () => terms.last,
    term: (index: number) => {
      looks += 1;
      return terms.at(index);
    },
    entries: () => [],
  };
  const options = { id: 1, electionTicks: 10, heartbeatTicks: 1, asyncStorageWrites: true };
  const node = new RawNode({ ...options, applied: last, reader, random: new Prng(1) } as never);
  const previous = { term: 0, index: last + 1 };
  const head = { kind: 'append-request', from: 2, to: 1, term: 5 } as const;
  looks = 0;
  for (let n = 0; n < 100; n += 1) node.step({ ...head, previous, entries: [], commit: 0 });
  expect(looks).toBeLessThan(100 * 100);
});
