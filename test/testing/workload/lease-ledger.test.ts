import { describe, expect, test } from 'vitest';
import { encodeCommand } from '../../../src/codec/command-codec.js';
import type { LeaseCommand } from '../../../src/mvcc/lease-types.js';
import type { Entry } from '../../../src/node/index.js';
import type { StoreStep } from '../../../src/testing/invariants/store-step.js';
import { LeaseLedger } from '../../../src/testing/workload/lease-ledger.js';
import type { Untimed } from '../../../src/testing/workload/store-watch.js';

const id = 7n;
const grant: LeaseCommand = { op: 'lease-grant', id, ttlSeconds: 2 };
const revoke: LeaseCommand = { op: 'lease-revoke', id };
const expiry: LeaseCommand = { op: 'lease-revoke', id, expired: { term: 1, generation: 1 } };

function entryOf(command: LeaseCommand): Entry {
  return {
    index: 1,
    term: 1,
    type: 'normal',
    data: encodeCommand({ session: 1, seq: 1, doneBelow: 1, command }),
  };
}

/** A ledger, what it complained of and told, and how to apply a command with success. */
function ledgerOf() {
  const found: string[] = [];
  const told: string[] = [];
  const steps: Untimed<StoreStep>[] = [];
  const ledger = new LeaseLedger(
    (violated) => found.push(violated),
    (step) => {
      told.push('reason' in step ? step.reason : step.kind);
      steps.push(step);
    },
  );
  const apply = (command: LeaseCommand, nowUs: number) =>
    ledger.applied(entryOf(command), { value: { op: command.op } }, nowUs);
  return { ledger, found, told, steps, apply };
}

describe('lease ledger', () => {
  test('a life of a lease -> told, and nothing to complain of', () => {
    const { ledger, found, told, apply } = ledgerOf();
    apply(grant, 100);
    const record = ledger.granted(id, 2, 0);
    ledger.renewed(record, 1_500_000);
    apply(expiry, 3_500_000);
    apply(grant, 4_000_000);
    apply(revoke, 4_000_001);
    expect(found).toEqual([]);
    const life = ['lease-began', 'lease-granted', 'lease-renewed', 'expired'];
    expect(told).toEqual([...life, 'lease-began', 'revoked']);
    expect(ledger).toMatchObject({ aliveCount: 0, expired: 1, keptAlive: 1 });
  });

  test('a keep-alive that succeeds for a lease that had ended -> L5', () => {
    const { ledger, found, apply } = ledgerOf();
    apply(grant, 100);
    const record = ledger.granted(id, 2, 0);
    apply(revoke, 1_000_000);
    ledger.renewed(record, 1_000_000);
    expect(found).toEqual([]);
    ledger.renewed(record, 1_000_001);
    expect(found).toEqual(['L5']);
  });

  test('a keep-alive that misses a lease which is there -> L5', () => {
    const { ledger, found, apply } = ledgerOf();
    apply(grant, 100);
    const record = ledger.granted(id, 2, 0);
    ledger.missed(record, 200);
    expect(found).toEqual(['L5']);
    apply(revoke, 300);
    ledger.missed(record, 400);
    expect(found).toEqual(['L5']);
  });

  test('what the log says a lease has left -> told, of this very lease', () => {
    const { steps, apply } = ledgerOf();
    apply(grant, 100);
    const note = (generation: number, remainingMs: number) =>
      apply({ op: 'lease-checkpoint', term: 1, leases: [{ id, generation, remainingMs }] }, 200);
    note(1, 700);
    note(1, 0);
    note(2, 300);
    apply(expiry, 300);
    expect(steps).toEqual([
      { kind: 'lease-began', lease: id, index: 1, ttlUs: 2e6 },
      { kind: 'lease-noted', lease: id, leftUs: 700_000 },
      { kind: 'lease-noted', lease: id, leftUs: 2e6 },
      {
        kind: 'lease-ended',
        lease: id,
        revision: 0,
        reason: 'expired',
        term: 1,
        decided: { term: 1, generation: 1 },
      },
    ]);
  });

  test('a command that was refused -> nothing happened', () => {
    const { ledger, apply } = ledgerOf();
    apply(grant, 100);
    ledger.applied(entryOf(revoke), { value: new Error('refused') }, 200);
    expect(ledger.aliveCount).toBe(1);
  });
});
