/**
 * One process of the measured kontiki cluster. The load runs in here, beside the store: that is how
 * an embedded store is used.
 */
import { pbkdf2 } from 'node:crypto';
import { openStore, type StoreOptions } from '../../src/index.js';
import { type LoadShape, runLoad } from './closed-loop.js';

/** What the parent asks for: `undefined` is the leader's name. */
export interface MemberRequest {
  readonly shape?: LoadShape;
  /** Keeps all threads of the pool busy meanwhile, as a host that hashes passwords does. */
  readonly busyPool?: boolean;
}

/** Twice what the pool has threads for. */
const poolCalls = 8;

process.on('disconnect', () => process.exit());
const store = await openStore(JSON.parse(process.argv[2] as string) as StoreOptions);

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

async function answer({ shape, busyPool = false }: MemberRequest): Promise<void> {
  if (shape !== undefined) {
    const release = busyPool ? occupyPool() : undefined;
    process.send?.(await runLoad(store, shape));
    release?.();
    return;
  }
  await store.get('leader');
  process.send?.(store.status().leader);
}

process.on('message', (request: MemberRequest) => void answer(request));
process.send?.('open');
