// One member of a run under real faults: a process that embeds a store, calls it from a few clients,
// watches everything, and tells its parent of each call before it is made and after it is answered.
import { writeFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { configIn } from '../../src/assembly/data-directory.js';
import { openStoreOn } from '../../src/assembly/open-store-on.js';
import { storeConfig } from '../../src/assembly/store-config.js';
import { isKontikiError } from '../../src/base/errors.js';
import { cmp, op } from '../../src/index.js';
import { systemEnv, systemStorage } from '../../src/preset/system-env.js';
import type { Store } from '../../src/store/store.js';
import type { RegisterInput } from '../../src/testing/index.js';
import { FaultDisk } from './fault-disk.js';
import {
  type MemberOptions,
  type MembersCall,
  type Notice,
  nowUs,
  type Request,
} from './protocol.js';

const options = JSON.parse(process.argv[2] as string) as MemberOptions;
const { name, dir, listen, cluster, join, tls, timeoutMs, readTimeoutMs, life } = options;
const prefix = 'k/';
/** Between two calls of a client, in milliseconds. */
const pauseMs = 15;

process.on('disconnect', () => process.exit());

/** Resolves when the parent can read it, whatever becomes of this process. */
function tell(notice: Notice): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send?.(notice, undefined, {}, () => resolve());
    else resolve();
  });
}

let disk: FaultDisk;
let isLoaded = false;
let pending = 0;
let calls = 0;

async function open(): Promise<Store> {
  const bootstrap = cluster === undefined ? 'existing' : 'new';
  const given = storeConfig({ name, dir, listen, cluster, bootstrap, join, tls, timeoutMs });
  const storage = await systemStorage();
  const config = await configIn(storage.fs, given);
  disk = new FaultDisk(await systemEnv(config, storage));
  return openStoreOn(disk.env, config);
}

const codeOf = (error: unknown): string =>
  isKontikiError(error) ? error.code : String((error as Error).stack ?? error);

/** What is written to a key, for the checker: text, unlike any other. */
interface Done {
  readonly value?: string | null;
  readonly swapped?: boolean;
  readonly revision?: number;
}

async function perform(store: Store, key: string, input: RegisterInput): Promise<Done> {
  if (input.op === 'read') {
    return { value: (await store.get(key, { timeoutMs: readTimeoutMs }))?.text() ?? null };
  }
  if (input.op === 'write') {
    const { value } = input;
    if (value === null) return { revision: (await store.delete(key)).revision };
    return { revision: (await store.put(key, String(value))).revision };
  }
  const { expected, value } = input;
  const is = expected === null ? cmp.version(key).eq(0) : cmp.value(key).eq(String(expected));
  const put = op.put(key, String(value));
  const { succeeded, revision } = await store.txn().if(is).do(put).commit();
  return succeeded ? { swapped: true, revision } : { swapped: false };
}

async function call(store: Store, client: string, key: string, input: RegisterInput) {
  calls += 1;
  pending += 1;
  const id = `${name}.${life}.${calls}`;
  await tell({ tell: 'call', call: id, client, key, input, at: nowUs() });
  try {
    const done = await perform(store, key, input);
    await tell({ tell: 'return', call: id, at: nowUs(), outcome: 'ok', ...done });
    return done;
  } catch (error) {
    const outcome = (isKontikiError(error) && error.outcome) || 'rejected';
    // A read has no outcome, and no effect either.
    const settled = input.op === 'read' ? 'rejected' : outcome;
    await tell({ tell: 'return', call: id, at: nowUs(), outcome: settled, code: codeOf(error) });
    return undefined;
  } finally {
    pending -= 1;
  }
}

async function runClient(store: Store, nth: number): Promise<void> {
  const client = `${name}/${nth}`;
  const seen = new Map<string, string | null>();
  for (let round = 0; ; round += 1) {
    await wait(pauseMs);
    if (!isLoaded) continue;
    const key = `${prefix}${Math.floor(Math.random() * options.keys)}`;
    const value = `${client}.${life}.${round}`;
    const dice = Math.random();
    let input: RegisterInput = { op: 'read' };
    if (dice < 0.4) input = { op: 'write', value };
    else if (dice < 0.45) input = { op: 'write', value: null };
    else if (dice < 0.6) input = { op: 'cas', expected: seen.get(key) ?? null, value };
    const done = await call(store, client, key, input);
    if (done?.value !== undefined) seen.set(key, done.value);
    else if (input.op === 'write' && done !== undefined) seen.set(key, input.value as string);
  }
}

async function watch(store: Store): Promise<void> {
  try {
    for await (const { events } of store.watch(
      { prefix },
      { fromRevision: options.fromRevision },
    )) {
      const changes = events.map(({ type, kv }) => {
        const value = type === 'delete' ? null : kv.text();
        return { revision: kv.modRevision, key: kv.keyText(), value };
      });
      if (changes.length > 0) await tell({ tell: 'changes', changes });
    }
  } catch (error) {
    await tell({ tell: 'watch-ended', code: codeOf(error) });
  }
}

async function answerStatus(store: Store, id: number): Promise<void> {
  const answer = await store.getWithRevision('status', { timeoutMs: 2_000 }).catch(() => undefined);
  const report = answer && {
    leader: store.status().leader,
    revision: answer.revision,
    pending,
    residentBytes: process.memoryUsage.rss(),
  };
  await tell({ tell: 'status', id, report });
}

async function answerContents(store: Store, id: number): Promise<void> {
  const { kvs } = await store.range({ prefix, timeoutMs: 60_000 });
  const contents = kvs.map((kv) => [kv.keyText(), kv.text()] as const);
  await tell({ tell: 'contents', id, contents });
}

async function callMembers({ members }: Store, call: MembersCall): Promise<unknown> {
  const times = { timeoutMs: 30_000 };
  if (call.op === 'add') return members.add(call.name, call.address, times);
  if (call.op === 'remove') return members.remove(call.member, times);
  if (call.op === 'replace') return members.replace(call.member, call.learner, times);
  if (call.op === 'update') return members.update(call.member, call.address, times);
  return undefined;
}

async function answerMembers(store: Store, id: number, asked: MembersCall): Promise<void> {
  try {
    await callMembers(store, asked);
    await tell({ tell: 'members', id, members: await store.members.list() });
  } catch (error) {
    await tell({ tell: 'members', id, code: codeOf(error) });
  }
}

async function answerBackup(store: Store, id: number, path: string): Promise<void> {
  const backup = store.backup();
  await writeFile(path, backup);
  await tell({ tell: 'backup', id, revision: backup.info?.revision as number });
}

async function close(store: Store, isGentle: boolean): Promise<void> {
  isLoaded = false;
  while (isGentle && pending > 0) await wait(pauseMs);
  await store.close();
  process.disconnect();
}

function onRequest(store: Store, request: Request): void {
  if (request.do === 'load') isLoaded = request.on;
  else if (request.do === 'disk') disk.state = request.state;
  else if (request.do === 'status') void answerStatus(store, request.id);
  else if (request.do === 'contents') void answerContents(store, request.id);
  else if (request.do === 'members') void answerMembers(store, request.id, request.call);
  else if (request.do === 'backup') void answerBackup(store, request.id, request.path);
  else void close(store, request.isGentle);
}

try {
  const store = await open();
  store.on('failed', ({ error }) => {
    void tell({ tell: 'failed', code: codeOf(error) }).then(() => process.exit(3));
  });
  process.on('message', (request: Request) => onRequest(store, request));
  await tell({ tell: 'open' });
  void watch(store);
  for (let nth = 0; nth < options.clients; nth += 1) void runClient(store, nth);
} catch (error) {
  await tell({ tell: 'refused', code: codeOf(error) });
  process.exit(2);
}
