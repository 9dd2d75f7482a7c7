// Many appends, few syncs; in order; and after a failure nothing.
import { describe, expect, test } from 'vitest';
import { kontikiError } from '../../../src/base/errors.js';
import type { WalLogStore } from '../../../src/storage/wal/index.js';
import { FakeFiles, Gate, settled } from './fake-files.js';
import { allEntries, append, bytes, contentsOf, entries, entry, openLog } from './log.js';

const state = (term: number, commit = 0) => ({ term, vote: 1, commit });
const commitOnly = (log: WalLogStore, term: number, commit: number): Promise<void> =>
  log.append({ entries: [], hardState: state(term, commit), mustSync: false });

async function openCounting(): Promise<{ fs: FakeFiles; log: WalLogStore }> {
  const fs = new FakeFiles();
  const log = await openLog(fs);
  await append(log, entries(1, 1, 6), state(1));
  await settled();
  fs.steps.length = 0;
  return { fs, log };
}

describe('group commit', () => {
  test('a hundred appends of one turn -> one write, one sync, settled in call order', async () => {
    const { fs, log } = await openCounting();
    const order: number[] = [];
    const writes = Array.from({ length: 100 }, (_, at) =>
      append(log, [entry(1, 6 + at, bytes(10))]).then(() => order.push(at)),
    );
    await Promise.all(writes);
    expect(fs.count('sync')).toBe(1);
    expect(fs.steps[0]).toMatchObject({ kind: 'write' });
    expect(order).toEqual(Array.from({ length: 100 }, (_, at) => at));
    await log.close();
  });

  test('appends while a group is in flight -> the next group, whatever their number', async () => {
    const { fs, log } = await openCounting();
    const gate = new Gate((step) => step.kind === 'sync');
    fs.before = gate.before;
    const order: string[] = [];
    const first = append(log, entries(1, 6, 7)).then(() => order.push('first'));
    await settled();
    const later = Array.from({ length: 50 }, (_, at) =>
      append(log, [entry(1, 7 + at)]).then(() => order.push(`later ${at}`)),
    );
    await settled();
    expect(fs.count('write')).toBe(1);
    expect(order).toEqual([]);
    gate.release();
    await first;
    expect(order).toEqual(['first']);
    await settled();
    gate.open();
    await Promise.all(later);
    expect(fs.count('sync')).toBe(2);
    expect(order).toEqual(['first', ...later.map((_, at) => `later ${at}`)]);
    await log.close();
    expect((await contentsOf(fs.image())).entries).toHaveLength(56);
  });

  test('an append -> resolves only after a sync that began after its write', async () => {
    const { fs, log } = await openCounting();
    await append(log, entries(1, 6, 8));
    expect(fs.steps.map((step) => step.kind).slice(0, 2)).toEqual(['write', 'sync']);
    await log.close();
  });

  test('a batch and its hard state -> in one group', async () => {
    const { fs, log } = await openCounting();
    await append(log, entries(2, 6, 8), state(2, 7));
    expect(fs.count('sync')).toBe(1);
    await log.close();
  });

  test('more than a group holds -> several groups, nothing lost', async () => {
    const { fs, log } = await openCounting();
    const large = bytes(6 * 1024 * 1024);
    await Promise.all([6, 7, 8, 9].map((index) => append(log, [entry(1, index, large)])));
    const written = fs.steps.filter((step) => (step.length ?? 0) >= large.length);
    expect(written).toHaveLength(2);
    await log.close();
    const { entries: found } = await contentsOf(fs.image());
    const isIntact = found.slice(5).map(({ data }) => Buffer.compare(data, large) === 0);
    expect(isIntact).toEqual([true, true, true, true]);
  });

  test('a batch of nothing that must be synced -> waits for what was before, writes nothing', async () => {
    const { fs, log } = await openCounting();
    await log.append({ entries: [], mustSync: true });
    expect(fs.steps).toEqual([]);
    const gate = new Gate((step) => step.kind === 'sync');
    fs.before = gate.before;
    const order: string[] = [];
    const writes = [
      append(log, entries(1, 6, 7)).then(() => order.push('entries')),
      log.append({ entries: [], mustSync: true }).then(() => order.push('nothing')),
    ];
    await settled();
    expect(order).toEqual([]);
    gate.open();
    await Promise.all(writes);
    expect(order).toEqual(['entries', 'nothing']);
    expect(fs.count('sync')).toBe(1);
    await log.close();
  });
});

describe('a batch that only raises the commit index', () => {
  test('no sync of its own -> travels with the next group', async () => {
    const { fs, log } = await openCounting();
    await commitOnly(log, 1, 3);
    await commitOnly(log, 1, 4);
    expect(fs.steps).toEqual([]);
    await append(log, entries(1, 6, 7));
    expect((await contentsOf(fs.image())).hardState).toEqual(state(1, 4));
    await log.close();
  });

  test('nothing after it -> written by close', async () => {
    const { fs, log } = await openCounting();
    await commitOnly(log, 1, 5);
    await log.close();
    expect((await contentsOf(fs.image())).hardState).toEqual(state(1, 5));
  });

  test('a batch of nothing that must be synced after it -> durable', async () => {
    const { fs, log } = await openCounting();
    await commitOnly(log, 1, 5);
    await log.append({ entries: [], mustSync: true });
    expect((await contentsOf(fs.image())).hardState).toEqual(state(1, 5));
    await log.close();
  });

  test('behind an append in flight -> settles after it', async () => {
    const { fs, log } = await openCounting();
    const gate = new Gate((step) => step.kind === 'sync');
    fs.before = gate.before;
    const order: string[] = [];
    const writes = [
      append(log, entries(1, 6, 7)).then(() => order.push('entries')),
      commitOnly(log, 1, 6).then(() => order.push('commit')),
    ];
    await settled();
    expect(order).toEqual([]);
    gate.open();
    await Promise.all(writes);
    expect(order).toEqual(['entries', 'commit']);
    await log.close();
  });

  test('a new term or vote, even unsynced -> written at once', async () => {
    const { fs, log } = await openCounting();
    await commitOnly(log, 1, 2);
    await log.append({ entries: [], hardState: state(2, 2), mustSync: false });
    expect((await contentsOf(fs.image())).hardState).toEqual(state(2, 2));
    await log.close();
  });
});

describe('after a failure', () => {
  const failure = kontikiError('STORAGE_IO', 'the disk says no');
  const noSpace = kontikiError('NO_SPACE', 'the disk is full');

  test.each([
    ['a write', 'write', failure],
    ['a sync', 'sync', failure],
    ['a write for lack of space', 'write', noSpace],
  ] as const)(
    '%s fails -> it and all later ones reject, nobody before it is lost',
    async (...row) => {
      const [, kind, error] = row;
      const { fs, log } = await openCounting();
      fs.before = (step) => {
        if (step.kind === kind) throw error;
      };
      const outcomes: string[] = [];
      const note = (name: string) => (caught: { code: string }) =>
        outcomes.push(`${name} ${caught.code}`);
      const writes = [append(log, entries(1, 6, 8)).catch(note('first'))];
      await Promise.resolve();
      writes.push(append(log, entries(1, 8, 9)).catch(note('second')));
      await Promise.all(writes);
      fs.before = undefined;
      await append(log, entries(1, 9, 10)).catch(note('third'));
      await commitOnly(log, 1, 4).catch(note('fourth'));
      const { code } = error;
      expect(outcomes).toEqual([
        `first ${code}`,
        `second ${code}`,
        `third ${code}`,
        `fourth ${code}`,
      ]);
      // Memory still answers; the files hold what was acknowledged, and what may have been written.
      expect(log.entries({ lo: 1, hi: 6 }, 1e9)).toEqual(entries(1, 1, 6));
      await log.close();
      expect(fs.openFiles).toBe(0);
      const again = await openLog(fs);
      expect((await allEntries(again)).slice(0, 5)).toEqual(entries(1, 1, 6));
      expect(again.lastIndex()).toBe(kind === 'sync' ? 7 : 5);
      await again.close();
    },
  );

  test('a group fails -> the groups queued behind it reject and are never written', async () => {
    const { fs, log } = await openCounting();
    const gate = new Gate((step) => step.kind === 'sync');
    fs.before = gate.before;
    const first = append(log, entries(1, 6, 7));
    await settled();
    const second = append(log, entries(1, 7, 8));
    fs.before = (step) => {
      if (step.kind === 'sync') throw failure;
    };
    gate.release();
    await first;
    await expect(second).rejects.toBe(failure);
    await log.close();
    expect((await contentsOf(fs.image())).entries.length).toBeLessThanOrEqual(7);
  });

  test('a batch that no Raft log can hold -> assertion, nothing of it is written', async () => {
    const { fs, log } = await openCounting();
    const before = fs.image();
    await expect(append(log, [entry(1, 6), entry(1, 8)])).rejects.toMatchObject({
      code: 'ASSERTION',
    });
    await expect(append(log, [entry(1, 6)])).rejects.toMatchObject({ code: 'ASSERTION' });
    await log.close();
    expect(fs.image()).toEqual(before);
  });

  test.each([
    ['a term that falls', entries(1, 6, 7), { term: 0, vote: 0, commit: 0 }],
    ['another vote in the term', [], { term: 1, vote: 2, commit: 0 }],
    ['a commit index beyond the log', [], { term: 1, vote: 1, commit: 6 }],
    ['an entry of an earlier term', [entry(0, 6)], { term: 1, vote: 1, commit: 0 }],
  ])('%s -> assertion', async (_, added, hardState) => {
    const { log } = await openCounting();
    const code = { code: 'ASSERTION' };
    await expect(append(log, added, hardState)).rejects.toMatchObject(code);
    await log.close();
  });
});

describe('close', () => {
  test('while groups wait -> they are written first; later calls are refused', async () => {
    const { fs, log } = await openCounting();
    const writes = [append(log, entries(1, 6, 7)), append(log, entries(1, 7, 9))];
    const closing = [log.close(), log.close()];
    await Promise.all([...writes, ...closing]);
    expect((await contentsOf(fs.image())).entries).toHaveLength(8);
    const closed = { code: 'CLOSED' };
    await expect(append(log, entries(1, 9, 10))).rejects.toMatchObject(closed);
    await expect(log.fetch({ lo: 1, hi: 3 })).rejects.toMatchObject(closed);
    expect(fs.openFiles).toBe(0);
  });
});
