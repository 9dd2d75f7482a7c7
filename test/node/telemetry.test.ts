// Goal: a node counts what happens, tells it to who listens, and pays for nobody who does not.
import { afterEach, describe, expect, test, vi } from 'vitest';
import { kontikiError } from '../../src/base/errors.js';
import type { LogFields, Logger, NodeMetrics, Tracing } from '../../src/node/index.js';
import type { MemberId } from '../../src/raft/types.js';
import { Cluster } from './cluster.js';

let cluster: Cluster;
afterEach(() => cluster.close());

async function opened(env: Parameters<Cluster['open']>[1], ids: readonly MemberId[] = [1, 2, 3]) {
  cluster = new Cluster(ids);
  for (const id of ids) await cluster.open(id, env);
  const leader = await cluster.elect();
  // The first entry of the term is applied.
  await cluster.time.run(50);
  return leader;
}

describe('metrics', () => {
  test('writes and reads on three members -> counted where they happened', async () => {
    const leader = await opened({});
    const before = cluster.node(leader).metrics();
    const done = Array.from({ length: 40 }, (_, nth) => cluster.propose(leader, `c${nth}`));
    await cluster.time.settle(Promise.all(done));
    await cluster.time.settle(cluster.node(leader).readIndex());
    await cluster.caughtUp(40);
    const after = cluster.node(leader).metrics();
    const grown = (name: keyof NodeMetrics) => (after[name] as number) - (before[name] as number);
    expect(grown('proposals')).toBe(40);
    expect(after.proposalMs.count - before.proposalMs.count).toBe(40);
    expect(grown('entriesApplied')).toBe(40);
    expect(after.applyMs.count).toBe(after.applyBatches);
    expect(grown('logEntries')).toBe(40);
    expect(grown('logDataBytes')).toBeGreaterThan(40 * 10);
    expect(grown('readRounds')).toBe(1);
    expect(grown('readRoundsAnswered')).toBe(1);
    expect(after.logWriteMs.count).toBe(after.logWrites);
    expect(after.messagesSent['append-request']).toBeGreaterThan(0);
    expect(after.messagesReceived['append-response']).toBeGreaterThan(0);
    expect(after).toMatchObject({ termsLed: 1, proposalsPending: 0, proposalsUnknown: 0 });
    const all = cluster.ids.map((id) => cluster.node(id).metrics());
    expect(all.reduce((sum, { termsLed }) => sum + termsLed, 0)).toBe(1);
    expect(all.reduce((sum, { campaigns }) => sum + campaigns, 0)).toBeGreaterThan(0);
    // A snapshot: what happens later does not change it.
    const kept = structuredClone(after);
    await cluster.time.settle(cluster.propose(leader, 'later'));
    expect(after).toEqual(kept);
    expect(after.proposals).toBeLessThan(cluster.node(leader).metrics().proposals);
  });

  test('ends of proposals -> by their outcome', async () => {
    const leader = await opened({});
    cluster.isolate(leader);
    const controller = new AbortController();
    const others = [
      cluster.propose(leader, 'given up', 300),
      cluster.propose(leader, 'aborted', 5_000, controller.signal),
      cluster.propose(leader, 'overtaken', 50_000),
    ];
    await cluster.time.run(50);
    controller.abort();
    await cluster.time.run(500);
    expect(cluster.node(leader).metrics()).toMatchObject({ proposals: 3, proposalsUnknown: 2 });
    const [other] = cluster.followers(leader);
    await cluster.elect(cluster.followers(leader));
    await cluster.time.settle(cluster.propose(other, 'kept'));
    cluster.heal();
    await cluster.time.settle(Promise.allSettled(others));
    const metrics = cluster.node(leader).metrics();
    expect(metrics).toMatchObject({ proposals: 3, proposalsUnknown: 2, proposalsRejected: 1 });
    expect(metrics.proposalMs.count).toBe(3);
    expect(metrics.leaderChanges).toBeGreaterThan(1);
  });

  test('all names -> numbers, histograms and counts by kind, as JSON can carry', async () => {
    const leader = await opened({});
    const metrics = cluster.node(leader).metrics();
    for (const [name, value] of Object.entries(metrics)) {
      if (['messagesSent', 'messagesReceived', 'stalls'].includes(name)) {
        expect(Object.values(value).every(Number.isSafeInteger)).toBe(true);
      } else if (name.endsWith('Ms')) expect(value).toMatchObject({ count: expect.any(Number) });
      else expect(value, name).toEqual(expect.any(Number));
    }
    expect(JSON.parse(JSON.stringify(metrics))).toEqual(metrics);
  });
});

/** Channels of which each notes what it runs, while it has subscribers. */
function channels(hasSubscribers: boolean) {
  const spans: string[] = [];
  let asked = 0;
  const channel = (name: string) => ({
    get hasSubscribers() {
      asked += 1;
      return hasSubscribers;
    },
    tracePromise: vi.fn(async <T>(run: () => Promise<T>, context: object): Promise<T> => {
      spans.push(`${name} start`);
      expect(context).toBeTypeOf('object');
      try {
        return await run();
      } catch (error) {
        spans.push(`${name} ${(error as { code?: string }).code}`);
        throw error;
      } finally {
        spans.push(`${name} end`);
      }
    }),
  });
  const names = ['propose', 'read', 'fsync', 'apply', 'snapshot'] as const;
  const tracing = Object.fromEntries(names.map((name) => [name, channel(name)]));
  return { tracing: tracing as unknown as Tracing, spans, asked: () => asked };
}

describe('tracing', () => {
  test('nobody listens -> one look per call and batch, and nothing is wrapped', async () => {
    const { tracing, asked, spans } = channels(false);
    const leader = await opened({ env: { tracing } }, [1]);
    const before = asked();
    const { applyBatches } = cluster.node(leader).metrics();
    const done = Array.from({ length: 200 }, (_, nth) => cluster.propose(leader, `c${nth}`));
    await cluster.time.settle(Promise.all(done));
    const batches = cluster.node(leader).metrics().applyBatches - applyBatches;
    expect(asked() - before).toBe(200 + batches);
    expect(spans).toEqual([]);
    for (const channel of Object.values(tracing))
      expect(channel.tracePromise).not.toHaveBeenCalled();
  });

  test('somebody listens -> begin and end of every proposal and batch, the results unchanged', async () => {
    const { tracing, spans } = channels(true);
    const leader = await opened({ env: { tracing } }, [1]);
    spans.length = 0;
    expect(await cluster.time.settle(cluster.propose(leader, 'a'))).toBe('did a');
    expect(spans).toEqual(['propose start', 'apply start', 'apply end', 'propose end']);
  });

  test('a proposal that fails -> its error is told, and thrown as before', async () => {
    const { tracing, spans } = channels(true);
    const leader = await opened({ env: { tracing } }, [1]);
    await cluster.time.settle(cluster.node(leader).close());
    spans.length = 0;
    await expect(cluster.propose(leader, 'a')).rejects.toMatchObject({ code: 'CLOSED' });
    expect(spans).toEqual(['propose start', 'propose CLOSED', 'propose end']);
  });

  test('a machine that fails in apply -> stops the member, listened to or not', async () => {
    const { tracing, spans } = channels(true);
    const leader = await opened({ env: { tracing } }, [1]);
    cluster.member(leader).machine.failure = kontikiError('STATE_CORRUPT', 'broken');
    await expect(cluster.time.settle(cluster.propose(leader, 'a'))).rejects.toMatchObject({
      code: 'STATE_CORRUPT',
    });
    expect(cluster.node(leader).status.failure).toMatchObject({ code: 'STATE_CORRUPT' });
    expect(spans).toContain('apply STATE_CORRUPT');
  });
});

describe('the logger', () => {
  const recording = () => {
    const lines: string[] = [];
    const fields: LogFields[] = [];
    const take = (level: string) => (message: string, given: LogFields) => {
      lines.push(`${level} ${message}`);
      fields.push(given);
    };
    const logger: Logger = {
      debug: take('debug'),
      info: take('info'),
      warn: take('warn'),
      error: take('error'),
    };
    return { logger, lines, fields };
  };

  test('a leadership from begin to end, and the close of the member', async () => {
    cluster = new Cluster();
    const logs = new Map(cluster.ids.map((id) => [id, recording()]));
    for (const id of cluster.ids) await cluster.open(id, { env: { logger: logs.get(id)!.logger } });
    const leader = await cluster.elect();
    const { lines, fields } = logs.get(leader)!;
    expect(lines.filter((line) => !line.startsWith('debug'))).toEqual(['info became leader']);
    expect(fields.at(lines.indexOf('info became leader'))).toEqual({ memberId: leader, term: 1 });
    cluster.isolate(leader);
    await cluster.time.run(3_000);
    expect(lines).toContain('warn stepped down');
    expect(lines).toContain('debug peer disconnected');
    await cluster.time.settle(cluster.node(leader).close());
    expect(lines.at(-1)).toBe('info closed');
  });

  test('the disk is full, and has space again; the member fails', async () => {
    const { logger, lines, fields } = recording();
    const leader = await opened({ env: { logger } }, [1]);
    const { log } = cluster.member(leader);
    Object.defineProperty(log, 'hasSpace', { value: false, configurable: true });
    await cluster.time.run(300);
    Object.defineProperty(log, 'hasSpace', { value: true });
    await cluster.time.run(300);
    const error = kontikiError('STORAGE_IO', 'gone');
    cluster.node(leader).fail(error);
    const told = lines.filter((line) => !line.startsWith('debug'));
    expect(told).toEqual([
      'info became leader',
      'error disk full',
      'info disk has space',
      'error stopped',
    ]);
    expect(fields.at(-1)).toMatchObject({ memberId: leader, code: 'STORAGE_IO', error });
  });

  test('one that throws -> the member goes on, its owner learns of it', async () => {
    const logger = { ...recording().logger };
    logger.info = () => {
      throw new Error('full');
    };
    const leader = await opened({ env: { logger } }, [1]);
    expect(await cluster.time.settle(cluster.propose(leader, 'a'))).toBe('did a');
    expect(cluster.time.uncaught).toEqual([expect.objectContaining({ message: 'full' })]);
  });
});

describe('status', () => {
  test('of a leader: how far log, state and the others are', async () => {
    const leader = await opened({});
    await cluster.time.settle(cluster.propose(leader, 'a'));
    await cluster.caughtUp(1);
    await cluster.time.run(500);
    const { status } = cluster.node(leader);
    const { lastIndex } = status.raft;
    expect(status).toMatchObject({
      appliedIndex: lastIndex,
      durableIndex: lastIndex,
      hasSpace: true,
      snapshotIndex: 0,
      pendingProposals: 0,
      pendingReads: 0,
    });
    expect(status.raft.progress.map(({ match }) => match)).toEqual([
      lastIndex,
      lastIndex,
      lastIndex,
    ]);
  });
});
