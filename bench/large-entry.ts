/**
 * One entry that deletes a million keys, or revokes a lease with as many: how long it takes, and how
 * long the loop stands still meanwhile, while it is made and while it is flushed.
 *
 *     npm run bench -- large-entry
 *
 * `KONTIKI_KEYS=n` takes another number of keys, `KONTIKI_SLICE=n` other slices.
 */
import { existsSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { systemTimers } from '../src/base/clock.js';
import { limits } from '../src/base/limits.js';
import { encodeCommand } from '../src/codec/command-codec.js';
import type { Command, Operation } from '../src/mvcc/types.js';
import { openClassicLevel } from '../src/storage/classic-level/index.js';
import { WriteBehindBackend } from '../src/storage/index.js';
import { StoreStateMachine } from '../src/store/state-machine.js';
import type { Benchmark } from './benchmark.js';
import { formatTable } from './table.js';

const count = Number(process.env.KONTIKI_KEYS ?? 1_000_000);
const limit = Number(process.env.KONTIKI_SLICE ?? limits.applySliceRecords);
const txnPuts = 200;
const leaseId = 7n;
const MiB = 1024 * 1024;

/**
 * Milliseconds that this thread has been running for, where the platform says: on a machine that has
 * other work, what passes meanwhile tells more of that.
 */
function runningClock(): () => number {
  const path = '/proc/self/schedstat';
  if (!existsSync(path)) return () => performance.now();
  const file = openSync(path, 'r');
  const bytes = Buffer.alloc(64);
  return () => {
    readSync(file, bytes, 0, bytes.length, 0);
    return Number.parseInt(bytes.toString('latin1'), 10) / 1e6;
  };
}

const runningMs = runningClock();

/** Measures each turn of the loop by a callback at its end. */
class Turns {
  readonly #ms: number[] = [];
  #isOn = true;
  #last = runningMs();

  constructor() {
    const next = (): void => {
      const now = runningMs();
      this.#ms.push(now - this.#last);
      this.#last = now;
      if (this.#isOn) setImmediate(next);
    };
    setImmediate(next);
  }

  /** Milliseconds, from the longest turn down, the present one among them. */
  async stop(): Promise<number[]> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#isOn = false;
    return this.#ms.sort((a, b) => b - a);
  }
}

class Member {
  readonly machine: StoreStateMachine;
  #index = 0;

  constructor(machine: StoreStateMachine) {
    this.machine = machine;
  }

  static async open(path: string): Promise<Member> {
    const engine = await openClassicLevel(path);
    const backend = await WriteBehindBackend.open({ engine, timers: systemTimers });
    const slice = { limit, bytesMax: limits.applySliceBytes };
    const machine = new StoreStateMachine(backend, undefined, slice);
    await machine.open();
    return new Member(machine);
  }

  async apply(command: Command): Promise<unknown> {
    this.#index += 1;
    const data = encodeCommand({ session: 2 ** 52, seq: this.#index, doneBelow: 1, command });
    const entry = { term: 1, index: this.#index, type: 'normal' as const, data };
    const [result] = await this.machine.apply([entry]);
    return result?.value;
  }

  async fill(lease: bigint | undefined): Promise<void> {
    const value = new Uint8Array(256);
    for (let from = 0; from < count; from += txnPuts) {
      const success = Array.from({ length: Math.min(txnPuts, count - from) }, (_, n): Operation => {
        return {
          op: 'put',
          key: `registry/service/${String(from + n).padStart(9, '0')}`,
          value,
          lease,
        };
      });
      await this.apply({ op: 'txn', compares: [], success, failure: [] });
    }
    await this.machine.flush();
  }
}

type Report = (name: string, value: number, unit: string) => void;

async function measure(name: string, report: Report, work: () => Promise<unknown>): Promise<void> {
  const turns = new Turns();
  const start = performance.now();
  let highest = 0;
  const sampler = setInterval(() => {
    highest = Math.max(highest, process.memoryUsage.rss());
  }, 100);
  await work();
  clearInterval(sampler);
  const [worst = 0, ...others] = await turns.stop();
  report(name, (performance.now() - start) / 1_000, 's');
  report('  longest turn', worst, 'ms');
  report('  turns of more than 10 ms', others.filter((ms) => ms > 10).length, '');
  report('  next longest turn', others[0] ?? worst, 'ms');
  report('  resident at most', Math.max(highest, process.memoryUsage.rss()) / MiB, 'MiB');
}

export const run: Benchmark = async ({ folder, record }) => {
  const base = mkdtempSync(`${folder}/kontiki-bench-large-`);
  const rows: [string, string][] = [];
  const report: Report = (name, value, unit) => {
    rows.push([name, `${value.toFixed(1)} ${unit}`]);
    record({ measure: name.trim(), subject: 'kontiki', value, unit });
  };
  try {
    const member = await Member.open(`${base}/state`);
    const watcher = member.machine.hub.watch({ keys: { gte: '' } });
    await measure(`put ${count} keys`, report, () => member.fill(undefined));
    await measure('delete them in one entry', report, () =>
      member.apply({ op: 'delete', keys: { gte: '' } }),
    );
    await measure('flush', report, () => member.machine.flush());
    await member.apply({ op: 'lease-grant', id: leaseId, ttlSeconds: 60 });
    await measure(`put ${count} keys with a lease`, report, () => member.fill(leaseId));
    await measure('revoke it', report, () => member.apply({ op: 'lease-revoke', id: leaseId }));
    await measure('flush', report, () => member.machine.flush());
    watcher.close();
    await member.machine.close();
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
  console.log(formatTable(['one large entry', 'figure'], rows));
};
