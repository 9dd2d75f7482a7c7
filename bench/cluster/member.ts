/**
 * One process of the measured kontiki cluster. The load runs in here, beside the store: that is how
 * an embedded store is used.
 */
import { pbkdf2 } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { openStoreOn } from '../../src/assembly/open-store-on.js';
import {
  type StoreOptions,
  type StoreTuning,
  storeConfig,
} from '../../src/assembly/store-config.js';
import { systemEnv } from '../../src/preset/system-env.js';
import { type LoadShape, runLoad } from './closed-loop.js';
import { endUsage, startUsage } from './cpu-profile.js';

/** What the program is given. */
export interface MemberOptions extends StoreOptions {
  readonly tuning?: StoreTuning | undefined;
}

/** What the parent asks for. Each is answered by one message. */
export type MemberRequest =
  /** A `MemberFacts`, once it has caught up with its leader, or as of now. */
  | { readonly ask: 'facts'; readonly isNow?: boolean }
  /** A `LoadResult`. With `busyPool` all threads of the pool are busy, as where passwords are hashed. */
  | { readonly ask: 'load'; readonly shape: LoadShape; readonly busyPool?: boolean | undefined }
  /** Nothing; a `Usage` from here on is counted. */
  | { readonly ask: 'start usage'; readonly profile: boolean }
  /** That `Usage`. */
  | { readonly ask: 'end usage' }
  /** The revision below which there is no history any more. */
  | { readonly ask: 'compact' }
  /** Bytes of the backup that was written to this path. */
  | { readonly ask: 'backup'; readonly path: string };

export interface MemberFacts {
  readonly leader: string | undefined;
  readonly term: number;
  readonly firstIndex: number;
  readonly appliedIndex: number;
  readonly snapshotsInstalled: number;
  /** Writes to the log, and entries in them. */
  readonly logWrites: number;
  readonly logEntries: number;
}

/** Twice what the pool has threads for. */
const poolCalls = 8;

process.on('disconnect', () => process.exit());
const { tuning, ...options } = JSON.parse(process.argv[2] as string) as MemberOptions;
const config = storeConfig(options);
const store = await openStoreOn(await systemEnv(config), { ...config, tuning });

/** Starts work that never leaves the pool a free thread; ends it with what it returns. */
function occupyPool(): () => void {
  let isOver = false;
  const hash = (): void => {
    pbkdf2('password', 'salt', 50_000, 64, 'sha512', () => {
      if (!isOver) hash();
    });
  };
  for (let nth = 0; nth < poolCalls; nth += 1) hash();
  return () => {
    isOver = true;
  };
}

async function facts(isNow: boolean): Promise<MemberFacts> {
  if (!isNow) await store.get('leader');
  const { leader, term, firstIndex, appliedIndex } = store.status();
  const { snapshotsInstalled, logWrites, logEntries } = store.metrics();
  return { leader, term, firstIndex, appliedIndex, snapshotsInstalled, logWrites, logEntries };
}

async function load(shape: LoadShape, busyPool: boolean) {
  const release = busyPool ? occupyPool() : undefined;
  const result = await runLoad(store, shape);
  release?.();
  return result;
}

async function compact(): Promise<number> {
  const { compactRevision } = await store.compact(store.status().revision);
  return compactRevision;
}

async function backup(path: string): Promise<number> {
  const file = createWriteStream(path);
  await pipeline(store.backup(), file);
  return file.bytesWritten;
}

async function answer(request: MemberRequest): Promise<unknown> {
  switch (request.ask) {
    case 'facts':
      return facts(request.isNow === true);
    case 'load':
      return load(request.shape, request.busyPool === true);
    case 'start usage':
      return startUsage(request.profile);
    case 'end usage':
      return endUsage();
    case 'compact':
      return compact();
    case 'backup':
      return backup(request.path);
  }
}

interface Asked {
  readonly id: number;
  readonly request: MemberRequest;
}

process.on('message', ({ id, request }: Asked) => {
  void answer(request).then(
    (value) => process.send?.({ id, value }),
    (error: unknown) => process.send?.({ id, error: String(error) }),
  );
});
process.send?.('open');
