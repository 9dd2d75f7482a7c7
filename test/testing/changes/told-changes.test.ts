// C7 on a group that the test itself plays: what operators were told is so at the end of a run.
import { describe, expect, test } from 'vitest';
import { type Change, makeChange } from '../../../src/testing/changes/change.js';
import type { Called, ChangeContext } from '../../../src/testing/changes/change-type.js';
import { MemberLedger } from '../../../src/testing/changes/member-ledger.js';
import type { SimMembers } from '../../../src/testing/cluster/sim-cluster.js';
import { listed, PlayedMachine } from './played-machine.js';

const founders = { 1: 'a', 2: 'b', 3: 'c' };
const ok: Called<void> = { kind: 'ok', value: undefined };
const rejected = { kind: 'rejected', code: undefined } as const;
const unknown = { kind: 'unknown', code: 'TIMEOUT' } as const;

function group() {
  const ledger = new MemberLedger();
  const machine = new PlayedMachine('n1', ledger);
  machine.open(1, 'a', listed(founders));
  return { ledger, machine };
}

describe('who was told', () => {
  test('that an id was removed, which is in the newest list -> C7; one that left -> nothing', () => {
    const { ledger, machine } = group();
    ledger.told.removed(2, ok);
    expect(ledger.finding).toBe('2 was removed, and is in the list');
    machine.configure(5, listed({ 1: 'a', 3: 'c' }));
    expect(ledger.finding).toBeUndefined();
  });

  test('that a learner was promoted, which never voted -> C7; one that voted for a while -> nothing', () => {
    const { ledger, machine } = group();
    const four = { ...founders, 4: 'd' };
    machine.configure(5, listed(four, { learners: [4] }));
    ledger.told.promoted(4, ok);
    expect(ledger.finding).toBe('4 was promoted, and never voted');
    machine.configure(6, listed(four));
    machine.configure(7, listed(founders));
    expect(ledger.finding).toBeUndefined();
  });

  test('that a member moved to where no list had it -> C7; where one did -> nothing', () => {
    const { ledger, machine } = group();
    machine.configure(5, listed({ ...founders, 3: 'd' }));
    ledger.told.moved(2, 'd', ok);
    expect(ledger.finding).toBe('2 was moved to d, and no list says so');
    machine.configure(6, listed({ ...founders, 2: 'd' }));
    machine.configure(7, listed(founders));
    expect(ledger.finding).toBeUndefined();
  });

  test('that a founder was added again under an id that no list has -> C7', () => {
    const { ledger, machine } = group();
    ledger.told.added('n2', { kind: 'ok', value: 7 });
    expect(ledger.finding).toBe('n2 was added as 7, and is in no list');
    machine.configure(5, listed({ ...founders, 7: 'd' }));
    expect(ledger.finding).toBeUndefined();
  });

  test('that a name is refused, of which a new member came -> C7; a founder that stayed -> nothing', () => {
    const { ledger, machine } = group();
    ledger.told.added('n2', rejected);
    ledger.told.added('n7', rejected);
    expect(ledger.finding).toBeUndefined();
    machine.configure(5, listed({ ...founders, 7: 'd' }));
    expect(ledger.finding).toBe('n7 was rejected, and is in a list');
    ledger.told.added('n7', unknown);
    expect(ledger.finding).toBeUndefined();
  });

  test('that it failed -> owed nothing', () => {
    const { ledger } = group();
    for (const called of [rejected, unknown, { kind: 'lost' } as const]) {
      ledger.told.removed(2, called);
      ledger.told.promoted(4, called);
      ledger.told.moved(2, 'd', called);
    }
    expect(ledger.finding).toBeUndefined();
  });
});

describe('a change that is acknowledged, and not made', () => {
  /** Adds who is to be added, and says of all else that it is done. */
  function lying() {
    const { ledger, machine } = group();
    const members: SimMembers = {
      add: async () => {
        machine.configure(5, listed({ ...founders, 4: 'd' }, { learners: [4] }));
        return 4;
      },
      remove: async () => undefined,
      promote: async () => undefined,
      update: async () => undefined,
      replace: async () => undefined,
      transferLeadership: async () => undefined,
    };
    const nothing = () => undefined;
    const cluster = {
      founders: ['n1', 'n2', 'n3'],
      ...{ addMachine: nothing, addressOf: () => 'd', crash: nothing, joins: nothing },
      machine: () => ({ boots: 1, wipe: nothing }),
      sim: { network: { hostOf: (name: string) => name, move: nothing } },
    };
    const context = {
      ...{ cluster, ledger, isOver: false, lost: [], random: undefined },
      ...{ freshName: () => 'n4', resolve: () => 'n2', restart: nothing, renewed: nothing },
      ...{ mayDamage: () => true, mayLeave: () => true, claim: () => true, release: nothing },
      sleep: async () => undefined,
      call: async <T>(run: (of: SimMembers) => Promise<T>): Promise<Called<T>> => {
        return { kind: 'ok', value: await run(members) };
      },
    };
    return { ledger, context: context as unknown as ChangeContext };
  }

  test.each<readonly [Change, string]>([
    [{ kind: 'member-removed', target: 'n2', evenOfTwo: false }, '2 was removed'],
    [{ kind: 'member-wiped', target: 'n2', denyingMs: 0 }, '2 was removed'],
    [{ kind: 'member-replaced', target: 'n2' }, '2 was removed'],
    [{ kind: 'member-moved', target: 'n2' }, '2 was moved to n2-1:1'],
    [{ kind: 'member-added', as: 'learner', byOne: false, crashMs: 0 }, '4 was promoted'],
  ])('$kind -> C7', async (change, message) => {
    const { context, ledger } = lying();
    await makeChange(change, context);
    expect(ledger.finding).toContain(message);
  });
});
