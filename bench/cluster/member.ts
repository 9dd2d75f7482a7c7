/**
 * One process of the measured kontiki cluster. The load runs in here, beside the store: that is how
 * an embedded store is used.
 */
import { openStore, type StoreOptions } from '../../src/index.js';
import { type LoadShape, runLoad } from './closed-loop.js';

/** What the parent asks for: `undefined` is the leader's name. */
export interface MemberRequest {
  readonly shape?: LoadShape;
}

process.on('disconnect', () => process.exit());
const store = await openStore(JSON.parse(process.argv[2] as string) as StoreOptions);

async function answer({ shape }: MemberRequest): Promise<void> {
  if (shape !== undefined) {
    process.send?.(await runLoad(store, shape));
    return;
  }
  await store.get('leader');
  process.send?.(store.status().leader);
}

process.on('message', (request: MemberRequest) => void answer(request));
process.send?.('open');
