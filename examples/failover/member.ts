/**
 * One process of the cluster: a program that embeds a kontiki member and works with it. Everything a
 * user of the library would write is here: open, put, get, range, watch, events, close. The rest is
 * answering the parent.
 */
import { readFile } from 'node:fs/promises';
import { isKontikiError, openStore, type StoreOptions } from '../../src/index.js';
import type {
  Calls,
  CompareReport,
  FailedPut,
  Item,
  PutReport,
  Reply,
  Request,
  StatusReport,
} from './protocol.js';

// The parent is gone: nobody is left to serve.
process.on('disconnect', () => process.exit());

const options = JSON.parse(process.argv[2] as string) as StoreOptions;
const store = await openStore(options);

/** The leader whose first acknowledged put the parent has not heard of yet. */
let newLeader: string | undefined;
store.on('leader', ({ leader }) => {
  newLeader = leader;
});

let events = 0;
let watchFault: string | undefined;

/** Every put is a revision of its own, so the watcher must see 1, 2, 3 ... and nothing else. */
async function countEvents(): Promise<void> {
  const watch = store.watch({ prefix: '' });
  let next = await watch.startRevision;
  for await (const batch of watch) {
    for (const { kv } of batch.events) {
      if (kv.modRevision !== next) watchFault ??= `${kv.modRevision} came in place of ${next}`;
      next = kv.modRevision + 1;
      events += 1;
    }
  }
}

async function put(items: readonly Item[]): Promise<PutReport> {
  const latenciesMs: number[] = [];
  const rejected: FailedPut[] = [];
  const unknown: FailedPut[] = [];
  const putOne = async (item: Item): Promise<void> => {
    const content = await readFile(item.path);
    const startMs = performance.now();
    try {
      await store.put(item.key, content);
      latenciesMs.push(performance.now() - startMs);
      if (newLeader !== undefined) reportServing(newLeader);
    } catch (error) {
      if (!isKontikiError(error) || error.outcome === undefined) throw error;
      const failed = { item, code: error.code };
      if (error.outcome === 'rejected') rejected.push(failed);
      else unknown.push(failed);
    }
  };
  await Promise.all(items.map(putOne));
  return { latenciesMs, rejected, unknown };
}

function reportServing(leader: string): void {
  newLeader = undefined;
  send({ notice: 'serving', leader, atMs: Date.now() });
}

async function status(): Promise<StatusReport> {
  // A member that was away answers only when it has caught up: give it time.
  const { revision } = await store.getWithRevision('status', { timeoutMs: 30_000 });
  return { leader: store.status().leader, revision, events, watchFault };
}

/** Reads every key through this member and compares it with its file. */
async function compare(items: readonly Item[]): Promise<CompareReport> {
  const different: string[] = [];
  const compareOne = async ({ key, path }: Item): Promise<void> => {
    const [kv, content] = await Promise.all([store.get(key), readFile(path)]);
    if (kv === undefined || !content.equals(kv.value)) different.push(key);
  };
  await Promise.all(items.map(compareOne));
  return { different };
}

async function countKeys(): Promise<number> {
  const { count } = await store.range({ prefix: '', limit: 1, count: true });
  return count ?? 0;
}

async function close(): Promise<null> {
  await store.close();
  return null;
}

type Handlers = { [N in keyof Calls]: (argument: never) => Promise<Calls[N]['answer']> };
const handlers: Handlers = { put, status, compare, countKeys, close };

async function answer({ id, name, argument }: Request): Promise<void> {
  try {
    send({ id, answer: await handlers[name](argument as never) });
  } catch (error) {
    send({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
  if (name === 'close') process.disconnect();
}

function send(reply: Reply): void {
  if (process.connected) process.send?.(reply);
}

/** Takes the process down: a demo that goes on without its watcher would prove nothing. */
function crash(error: unknown): void {
  console.error(`${options.name}:`, error);
  process.exit(1);
}

store.on('failed', ({ error }) => crash(error));
countEvents().catch((error: unknown) => {
  if (!isKontikiError(error, 'CLOSED')) crash(error);
});
process.on('message', (request: Request) => void answer(request));
send({ notice: 'open' });
