/**
 * One process of the service: it embeds a member, stands for election, and does the jobs as long as it
 * leads. Everything a user of the library would write is here; the rest is talking to the parent.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Election, type Leadership, openSession } from '../../src/concurrency/index.js';
import { op, openStore, type StoreOptions } from '../../src/index.js';
import type { Job, Notice, Order } from './messages.js';

const say = (notice: Notice) => process.send?.(notice);
const options = JSON.parse(process.argv[2] as string) as StoreOptions & { readonly name: string };
const store = await openStore(options);
const election = new Election(store, 'service');
let leadership: Leadership | undefined;
let isClosing = false;

// The parent is gone: nobody is left to work for.
process.on('disconnect', () => process.exit());
process.on('message', (order: Order) => {
  if (order === 'resign') void leadership?.resign();
  else void close();
});

async function close(): Promise<void> {
  isClosing = true;
  await leadership?.resign();
  await store.close();
  process.disconnect();
}

/** Leads whenever it can, for as long as it may. */
async function serve(): Promise<void> {
  const session = await openSession(store, { ttlSeconds: 3 });
  try {
    leadership = await election.campaign(session, options.name);
    say({ kind: 'leads', token: leadership.token });
    while (!leadership.lost.aborted) {
      await work(leadership);
      await sleep(20);
    }
    const { code, message } = leadership.lost.reason as { code: string; message: string };
    say({ kind: 'lost', reason: `${code}, ${message}` });
  } finally {
    // Whatever went wrong: kept alive, it would hold up everybody, the next call here included.
    await session.close();
  }
}

/**
 * Does one job. The jobs are kept in the store itself, so `isOwner` guards them: whoever has lost the
 * election without knowing it yet changes nothing. A resource elsewhere would compare `token`.
 */
async function work({ isOwner, token }: Leadership): Promise<void> {
  const last = (await store.get('job'))?.json<Job>().number ?? 0;
  const job: Job = { number: last + 1, by: options.name, token };
  await store
    .txn()
    .if(isOwner)
    .do(op.put('job', JSON.stringify(job)))
    .commit();
}

async function tell(): Promise<void> {
  const watch = store.watch('job');
  await watch.startRevision;
  say({ kind: 'open' });
  for await (const { events } of watch) {
    for (const { kv } of events) say({ kind: 'job', job: kv.json<Job>() });
  }
}

tell().catch(() => undefined);
while (!isClosing) {
  // Whatever went wrong, such as a session that was lost: it stands for election again.
  await serve().catch(() => sleep(100));
}
