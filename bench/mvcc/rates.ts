/**
 * P4: puts, gets and ranges of the keyspace, beside LevelDB's own limits in the same run.
 */
import { rmSync } from 'node:fs';
import { ClassicLevel } from 'classic-level';
import { levelOptions } from '../../src/storage/abstract-level.js';
import {
  batchSize,
  type Cost,
  costOf,
  costOfCalls,
  keyOf,
  noise,
  putAll,
  shuffled,
} from './load.js';
import { KeyspaceRig } from './rig.js';

/** A figure with what it is held against. */
export interface Rate extends Cost {
  readonly measure: string;
  /** Bar of DESIGN §6, P4, per second. */
  readonly bar?: number;
  /** etcd's Go benchmark, DESIGN §5: microseconds. */
  readonly etcdUs?: number;
}

const callers = 100;
const hotKeys = 10_000;
const rangeLimit = 100;
/** Bytes of a record with a value of 256. */
const recordBytes = 332;

/** Runs everything in `folder`, on `keys` keys. */
export async function rates(folder: string, keys: number, seconds: number): Promise<Rate[]> {
  const path = `${folder}/keyspace`;
  const found = await puts(path, keys);
  await settle(path);
  found.push(...(await cold(path, keys, seconds)));
  found.push(...(await warm(path, seconds)));
  found.push(...(await rawReads(path, keys, seconds)));
  found.push(await rawPuts(`${folder}/raw`, keys));
  return found;
}

async function puts(path: string, keys: number): Promise<Rate[]> {
  const rig = await KeyspaceRig.open(path);
  const cost = (from: number, to: number, placeOf?: (nth: number) => number): Promise<Cost> =>
    costOf(async () => {
      await putAll(rig, from, to, placeOf);
      await rig.backend.flush();
      return to - from;
    });
  const bar = 120_000;
  await cost(0, batchSize);
  const fresh = await cost(0, keys);
  const again = await cost(0, keys / 2, (nth) => shuffled(nth, keys));
  const hot = await cost(0, keys / 2, (nth) => nth % hotKeys);
  rig.hub.watch({ keys: { gte: keyOf(0) } });
  const watched = await cost(keys, keys + keys / 2);
  await rig.close();
  return [
    { measure: 'put of a new key, flush included', ...fresh, bar, etcdUs: 5.2 },
    { measure: 'put of a new key, watched', ...watched, bar },
    { measure: 'put over any key', ...again, bar },
    { measure: `put over one of ${hotKeys} keys`, ...hot, bar },
  ];
}

/** Ends the compactions that the puts left behind: reads would pay for them. */
async function settle(path: string): Promise<void> {
  const db = new ClassicLevel<string, Uint8Array>(path, levelOptions);
  await db.open();
  await db.compactRange('', '\xff');
  await db.close();
}

/** Every key and every range is asked for once, after opening. */
async function cold(path: string, keys: number, seconds: number): Promise<Rate[]> {
  const some = Math.floor(keys / rangeLimit);
  const rig = await KeyspaceRig.open(path);
  const range = (nth: number) => rig.range(keyOf(rangeLimit * shuffled(nth, some)), rangeLimit);
  const ranges = await costOfCalls({ callers, seconds, most: some, call: range });
  await rig.close();
  const next = await KeyspaceRig.open(path);
  const get = (nth: number) => next.get(keyOf(shuffled(nth, keys)));
  const most = keys / 2;
  const gets = await costOfCalls({ callers, seconds, most, call: get });
  const alone = (nth: number) => get(most + nth);
  const one = await costOfCalls({ callers: 1, seconds: seconds / 2, most, call: alone });
  await next.close();
  const rangeMeasure = `range of ${rangeLimit} cold, ${callers} callers`;
  return [
    { measure: `get cold, ${callers} callers`, ...gets, bar: 200_000, etcdUs: 13.7 },
    { measure: 'get cold, 1 caller', ...one },
    { measure: rangeMeasure, ...ranges, bar: 5_000, etcdUs: 40 },
  ];
}

/** Keys and ranges among a few that were all read before. */
async function warm(path: string, seconds: number): Promise<Rate[]> {
  const rig = await KeyspaceRig.open(path);
  const get = (nth: number) => rig.get(keyOf(shuffled(nth, hotKeys)));
  const range = (nth: number) => rig.range(keyOf(shuffled(nth, hotKeys)), rangeLimit);
  await costOfCalls({ callers, seconds: 60, most: hotKeys, call: get });
  const gets = await costOfCalls({ callers, seconds, call: get });
  await costOfCalls({ callers, seconds: 60, most: hotKeys / 5, call: range });
  const ranges = await costOfCalls({ callers, seconds, call: range });
  await rig.close();
  return [
    { measure: 'get warm', ...gets, bar: 500_000, etcdUs: 13.7 },
    { measure: `range of ${rangeLimit} warm`, ...ranges, bar: 25_000, etcdUs: 40 },
  ];
}

/** The same work on LevelDB alone: no keyspace, no checksums, no write-behind. */
async function rawReads(path: string, keys: number, seconds: number): Promise<Rate[]> {
  const db = new ClassicLevel<string, Uint8Array>(path, levelOptions);
  await db.open();
  const some = Math.floor(keys / rangeLimit);
  const walk = async (nth: number): Promise<void> => {
    const gte = `c${keyOf(rangeLimit * shuffled(nth, some))}`;
    const cursor = db.iterator({ gte, lt: 'd', highWaterMarkBytes: 1 << 18 });
    await cursor.nextv(rangeLimit + 1);
    await cursor.close();
  };
  const ranges = await costOfCalls({ callers, seconds, most: some, call: walk });
  let at = 0;
  const next = (): string => {
    at += 1;
    return `c${keyOf(shuffled(at, keys))}`;
  };
  const gets = await costOf(async () => {
    for (let nth = 0; nth < keys / 4; nth += 1) db.getSync(next());
    return keys / 4;
  });
  const many = await costOf(async () => {
    for (let nth = 0; nth < keys / 4; nth += batchSize) {
      await db.getMany(Array.from({ length: batchSize }, next));
    }
    return keys / 4;
  });
  await db.close();
  return [
    { measure: 'LevelDB alone: getSync', ...gets },
    { measure: `LevelDB alone: key of a getMany of ${batchSize}`, ...many },
    { measure: `LevelDB alone: range of ${rangeLimit}, ${callers} callers`, ...ranges },
  ];
}

async function rawPuts(path: string, keys: number): Promise<Rate> {
  const db = new ClassicLevel<string, Uint8Array>(path, levelOptions);
  await db.open();
  const perBatch = 5_000;
  const records = Array.from({ length: perBatch }, (_, nth) => noise(nth, recordBytes));
  const cost = await costOf(async () => {
    for (let first = 0; first < keys; first += perBatch) {
      const batch = db.batch();
      records.forEach((record, nth) => {
        batch.put(`c${keyOf(first + nth)}`, record);
        batch.put(`h${String(first + nth).padStart(12, '0')}`, record);
      });
      await batch.write({ sync: true });
    }
    return keys;
  });
  await db.close();
  rmSync(path, { recursive: true, force: true });
  return { measure: `LevelDB alone: put of two records, ${perBatch} in a batch`, ...cost };
}
