/** Holds an implementation of `LogStore` to the contract. */
import { assert } from '../../base/assert.js';
import type { ConfState } from '../../raft/configuration.js';
import type { HardState, LogId } from '../../raft/types.js';
import type { LogStore, SnapshotMark } from '../../storage/log-store.js';
import { checkRejects, checkSame } from './check.js';
import { allEntries, append, entriesOf, idsOf, LogHistory } from './log-history.js';
import {
  Bench,
  crashAtEachStep,
  registerSuite,
  runsDefault,
  type SeededTest,
  type SuiteOptions,
  type SuiteTest,
} from './suite.js';

const noState: HardState = { term: 0, vote: 0, commit: 0 };
const configuration: ConfState = {
  voters: [1, 2, 2 ** 53 - 1],
  votersOutgoing: [1, 4],
  learners: [7],
  learnersNext: [4],
  autoLeave: true,
};
const unlimited = Number.POSITIVE_INFINITY;

const basics: Readonly<Record<string, SuiteTest<LogStore>>> = {
  'a new log -> empty, term 0 at index 0, voters': async (bench) => {
    const log = await bench.open();
    checkSame([log.firstIndex(), log.lastIndex(), log.term(0)], [1, 0, 0], 'ends');
    checkSame(log.term(1), undefined, 'term of 1');
    checkSame(log.initialState().hardState, noState, 'hard state');
    assert(log.initialState().voters.length > 0, 'a new log knows its voters');
    checkSame(log.installing, undefined, 'installing');
    checkSame(log.entries({ lo: 1, hi: 1 }, unlimited), [], 'no entries');
    checkSame(log.hasSpace, true, 'space');
    await bench.run(log.close());
  },

  'append -> seen at once, settled in the order of the calls': async (bench) => {
    const log = await bench.open();
    const settled: number[] = [];
    const calls = [1, 2, 3, 4].map((index) =>
      append(log, entriesOf(1, index, index + 1)).then(() => settled.push(index)),
    );
    checkSame(log.lastIndex(), 4, 'last index');
    checkSame([log.term(4), log.term(5)], [1, undefined], 'terms');
    await bench.run(Promise.all(calls));
    checkSame(settled, [1, 2, 3, 4], 'order');
    checkSame(await allEntries(bench, log), entriesOf(1, 1, 5), 'entries');
    await bench.run(log.close());
  },

  'append over entries -> replaces everything from there, after a reopen too': async (bench) => {
    const log = await bench.open();
    await bench.run(append(log, entriesOf(1, 1, 8)));
    const calls = [append(log, entriesOf(2, 4, 7)), append(log, entriesOf(3, 5, 6))];
    checkSame(
      [log.lastIndex(), log.term(4), log.term(5), log.term(6)],
      [5, 2, 3, undefined],
      'at once',
    );
    await bench.run(Promise.all(calls));
    const expected = [...entriesOf(1, 1, 4), ...entriesOf(2, 4, 5), ...entriesOf(3, 5, 6)];
    checkSame(await allEntries(bench, log), expected, 'entries');
    await bench.run(log.close());
    const again = await bench.open();
    checkSame(await allEntries(bench, again), expected, 'entries after a reopen');
    await bench.run(again.close());
  },

  'entries -> cut at about the bytes asked for, never to nothing': async (bench) => {
    const log = await bench.open();
    const added = entriesOf(1, 1, 20, 100);
    await bench.run(append(log, added));
    log.applied(5);
    for (const lo of [1, 7, 19]) {
      for (const bytesMax of [0, 1, 350, unlimited]) {
        let found = log.entries({ lo, hi: 20 }, bytesMax);
        if (found === 'pending') {
          assert(lo <= 5, 'nothing above the applied index is pending');
          await bench.run(log.fetch({ lo, hi: 20 }));
          found = log.entries({ lo, hi: 20 }, bytesMax);
        }
        assert(found !== undefined && found !== 'pending', 'fetch makes entries answer');
        assert(found.length > 0, `at least one entry from ${lo} on`);
        assert(bytesMax !== 350 || found.length < 4, 'cut near the limit');
        checkSame(found, added.slice(lo - 1, lo - 1 + found.length), 'entries');
      }
    }
    await bench.run(log.close());
  },

  'hard state, alone and with entries -> there after a reopen': async (bench) => {
    const log = await bench.open();
    const first = { term: 1, vote: 2, commit: 0 };
    const second = { term: 2, vote: 0, commit: 2 };
    await bench.run(append(log, [], first));
    await bench.run(append(log, entriesOf(1, 1, 4), second));
    await bench.run(log.close());
    const again = await bench.open();
    checkSame(again.initialState().hardState, second, 'hard state');
    checkSame(await allEntries(bench, again), entriesOf(1, 1, 4), 'entries');
    await bench.run(
      again.append({ entries: [], mustSync: false, hardState: { ...second, commit: 3 } }),
    );
    await bench.run(again.close());
    const third = await bench.open();
    checkSame(third.initialState().hardState.commit, 3, 'a commit index nobody had to sync');
    await bench.run(third.close());
  },

  'a closed log -> CLOSED': async (bench) => {
    const log = await bench.open();
    await bench.run(append(log, entriesOf(1, 1, 3)));
    await bench.run(log.close());
    await bench.run(log.close());
    await checkRejects(() => bench.run(append(log, entriesOf(1, 3, 4))), ['CLOSED'], 'append');
  },
};

const trimming: Readonly<Record<string, SuiteTest<LogStore>>> = {
  'truncate -> firstIndex rises no further than asked, the rest stays': async (bench) => {
    const log = await bench.open();
    await bench.run(append(log, entriesOf(1, 1, 61, 200), { term: 1, vote: 1, commit: 60 }));
    log.applied(60);
    const all = log.bytesAbove(0);
    assert(all >= 60 * 200, `bytes above 0: ${all}`);
    checkSame(log.bytesAbove(60) < all, true, 'bytes above the last entry');
    await bench.run(log.truncate(40));
    const first = log.firstIndex();
    assert(first >= 1 && first <= 41, `first index ${first} after truncate(40)`);
    checkSame(
      [log.lastIndex(), log.term(first - 1), log.term(60)],
      [60, first > 1 ? 1 : 0, 1],
      'ends',
    );
    if (first > 1)
      checkSame(log.entries({ lo: first - 1, hi: 60 }, 10), undefined, 'below the first');
    checkSame(await allEntries(bench, log), entriesOf(1, first, 61, 200), 'entries');
    await bench.run(log.truncate(10));
    assert(log.firstIndex() >= first, 'the first index never goes back');
    await bench.run(append(log, entriesOf(2, 61, 63)));
    await bench.run(log.close());
    const again = await bench.open();
    assert(again.firstIndex() <= 41, 'entries above the index stay');
    const kept = (await allEntries(bench, again)).slice(-22);
    checkSame(idsOf(kept.slice(0, 1)), ['1.41'], 'kept after a reopen');
    checkSame(again.lastIndex(), 62, 'last index');
    await bench.run(again.close());
  },

  'a snapshot -> in place of the log, installing until installed': async (bench) => {
    const log = await bench.open();
    await bench.run(append(log, entriesOf(1, 1, 10), { term: 3, vote: 0, commit: 4 }));
    const snapshot: SnapshotMark = {
      last: { term: 2, index: 30 },
      configuration,
    };
    const hardState = { term: 3, vote: 0, commit: 30 };
    await bench.run(
      log.append({ snapshot, hardState, entries: entriesOf(3, 31, 33), mustSync: true }),
    );
    const check = async (store: LogStore, installing: LogId | undefined): Promise<void> => {
      const ends = [store.firstIndex(), store.lastIndex(), store.term(30), store.term(29)];
      checkSame(ends, [31, 32, 2, undefined], 'ends');
      checkSame(await allEntries(bench, store), entriesOf(3, 31, 33), 'entries');
      checkSame(store.installing?.last, installing, 'installing');
      // What it says is the state at opening.
      if (store !== log) checkSame(store.initialState().hardState, hardState, 'hard state');
    };
    await check(log, snapshot.last);
    await bench.run(log.close());
    const again = await bench.open();
    await check(again, snapshot.last);
    checkSame(again.initialState(), { hardState, ...configuration }, 'what it starts with');
    await bench.run(again.installed(snapshot.last));
    await check(again, undefined);
    await bench.run(again.close());
    const third = await bench.open();
    await check(third, undefined);
    await bench.run(third.close());
  },
};

const crashes = (runs: number): Readonly<Record<string, SeededTest<LogStore>>> => ({
  'power loss: random appends -> all that was acknowledged, nothing that was not issued': {
    runs,
    body: async (bench, seed) => {
      const history = new LogHistory(seed);
      let log = await bench.open();
      for (let crash = 0; crash < 5; crash += 1) {
        await history.play(bench, log);
        log = await bench.crash();
        await history.check(bench, log);
      }
      await bench.run(log.close());
    },
  },
});

/** What was acknowledged of a snapshot is there after a power loss. */
async function installs(bench: Bench<LogStore>): Promise<void> {
  const log = await bench.open();
  await bench.run(append(log, entriesOf(1, 1, 10), { term: 3, vote: 0, commit: 4 }));
  const last: LogId = { term: 2, index: 30 };
  const snapshot: SnapshotMark = { last, configuration };
  const hardState = { term: 3, vote: 0, commit: 30 };
  await bench.run(log.append({ snapshot, hardState, entries: [], mustSync: true }));
  const again = await bench.crash();
  checkSame([again.firstIndex(), again.lastIndex(), again.term(30)], [31, 30, 2], 'ends');
  checkSame(again.initialState(), { hardState, ...configuration }, 'what it starts with');
  checkSame(again.installing, snapshot, 'installing');
  await bench.run(again.installed(last));
  const third = await bench.crash();
  checkSame(
    [third.firstIndex(), third.lastIndex(), third.term(30)],
    [31, 30, 2],
    'ends, installed',
  );
  checkSame(third.installing, undefined, 'installing, once installed');
  await bench.run(third.close());
}

/** Between any two effects of an append that replaces entries: before, or after. */
function atEachStep(factory: SuiteOptions<LogStore>['factory']): SuiteTest<LogStore> {
  const before = ['1.1', '1.2', '1.3', '1.4', '1.5'];
  const now = ['1.1', '1.2', '2.3', '2.4'];
  return (_bench, seed) =>
    crashAtEachStep(
      async () => {
        const bench = new Bench(await factory(seed));
        const part = await bench.open();
        await bench.run(append(part, entriesOf(1, 1, 6, 300), { term: 1, vote: 1, commit: 0 }));
        return { bench, part };
      },
      (log) => append(log, entriesOf(2, 3, 5, 300), { term: 2, vote: 3, commit: 0 }),
      async (log, isDone, bench) => {
        const ids = idsOf(await allEntries(bench, log));
        const { term } = log.initialState().hardState;
        const isNew = term === 2;
        checkSame(ids, isNew ? now : before, `entries with hard state of term ${term}`);
        assert(isNew || !isDone, 'what was acknowledged is there');
        const last = log.lastIndex();
        await bench.run(
          append(log, entriesOf(3, last + 1, last + 2), { term: 3, vote: 0, commit: 0 }),
        );
        checkSame(log.term(last + 1), 3, 'a later append');
      },
    );
}

/**
 * Registers the conformance tests of a `LogStore`.
 *
 * @param options - what to test, and on what; a new log has voters, and begins with applied index 0
 * @since 0.1.0
 * @example
 * logStoreSuite({
 *   runner: { describe, test },
 *   name: 'my log',
 *   factory: () => ({ open: () => openMyLog(folder), crash: () => cutPower() }),
 * });
 */
export function logStoreSuite(options: SuiteOptions<LogStore>): void {
  const runs = options.runs ?? runsDefault;
  registerSuite(options, {
    ...basics,
    ...trimming,
    ...crashes(runs),
    'power loss: a snapshot in place of the log, and its install -> there once acknowledged': {
      runs,
      body: installs,
    },
    'power loss: before and after each effect of an append -> all of it or nothing': {
      runs: Math.max(1, Math.floor(runs / 5)),
      body: atEachStep(options.factory),
    },
  });
}
