/** A member comes: as a learner that is promoted, by itself or by hand, or with a vote at once. */
import { randomInt } from '../../base/prng.js';
import type { ChangeType } from './change-type.js';
import { patienceMs, startMember } from './start-member.js';

/** @since 0.1.0 */
export interface MemberAddedChange {
  readonly kind: 'member-added';
  /** `learner`: promoted by a call once it has caught up; `voter`: votes at once. */
  readonly as: 'promoted' | 'learner' | 'voter';
  /** Whether it asks one member only who the others are. */
  readonly byOne: boolean;
  /** Virtual milliseconds after which its process dies, in the middle of joining; 0: it does not. */
  readonly crashMs: number;
}

/** More than so many members make a run slow and nothing rarer. */
const membersMax = 6;

const ways = ['promoted', 'promoted', 'promoted', 'learner', 'voter'] as const;

/** @since 0.1.0 */
export const memberAddedChange: ChangeType<MemberAddedChange> = {
  kind: 'member-added',
  draw: (random) => ({
    kind: 'member-added',
    as: ways[randomInt(random, ways.length)] ?? 'promoted',
    byOne: randomInt(random, 2) === 0,
    crashMs: randomInt(random, 2) === 0 ? 0 : 1 + randomInt(random, 600),
  }),
  async make({ as, byOne, crashMs }, context) {
    const { call, cluster, ledger, resolve, restart, sleep } = context;
    if (ledger.members.length >= membersMax) return;
    // One that votes before it was ever met is missed like one that is lost.
    const voter = as === 'voter' && ledger.voters.length >= 3 && context.lost.length === 0;
    const by = byOne ? resolve('anybody') : undefined;
    const name = await startMember(context, { by, voter, autoPromote: as !== 'learner' });
    if (name === undefined) return;
    if (crashMs > 0) {
      await sleep(crashMs);
      if (context.isOver) return;
      cluster.crash(name, randomInt(context.random, 2) === 0 ? 'power' : 'process');
      restart(name);
    }
    for (let left = 10; as === 'learner' && left > 0 && !context.isOver; left -= 1) {
      await sleep(300);
      const id = ledger.idOf(name);
      if (id === undefined) continue;
      const done = await call((members) => members.promote(id, { timeoutMs: patienceMs }));
      ledger.told.promoted(id, done);
      if (done.kind === 'ok') return;
    }
  },
};
