/** A state machine on virtual time whose state can be sent to another one. */
import { encodeCommand } from '../../src/codec/command-codec.js';
import type { Command } from '../../src/mvcc/types.js';
import { verifyRecord } from '../../src/mvcc/verify-record.js';
import type { StateSnapshot } from '../../src/node/index.js';
import { MemoryEngine, MemoryStateHome, WriteBehindBackend } from '../../src/storage/index.js';
import type { KvEngine } from '../../src/storage/kv-engine.js';
import { StoreStateMachine } from '../../src/store/state-machine.js';
import { VirtualTime } from '../node/virtual-time.js';

export const text = (value: string) => new TextEncoder().encode(value);
export const put = (key: string, value = ''): Command => ({ op: 'put', key, value: text(value) });

export class Member {
  readonly time = new VirtualTime();
  readonly machine: StoreStateMachine;
  readonly engines: KvEngine[];
  /** What would have stopped it. */
  readonly failed: unknown[];
  index = 0;

  private constructor(machine: StoreStateMachine, engines: KvEngine[], failed: unknown[]) {
    this.machine = machine;
    this.engines = engines;
    this.failed = failed;
  }

  static async opened(): Promise<Member> {
    const time = new VirtualTime();
    const engines: KvEngine[] = [];
    const failed: unknown[] = [];
    const onFailed = (error: unknown) => failed.push(error);
    const openBackend = (engine: KvEngine) => {
      engines.push(engine);
      return WriteBehindBackend.open({ engine, timers: time, verify: verifyRecord, onFailed });
    };
    const home = new MemoryStateHome(openBackend);
    const machine = new StoreStateMachine(await openBackend(new MemoryEngine()), home);
    await machine.open();
    return new Member(machine, engines, failed);
  }

  async apply(...commands: Command[]): Promise<void> {
    const entries = commands.map((command) => {
      this.index += 1;
      const data = encodeCommand({ session: 2 ** 52, seq: this.index, doneBelow: 1, command });
      return { term: 1, index: this.index, type: 'normal' as const, data };
    });
    await this.machine.apply(entries);
  }

  async dump(): Promise<string[]> {
    let query = this.machine.keyspace.rangeQuery({ op: 'range', keys: { gte: '' } });
    while (!query.done) query = query.next(await this.machine.backend.read(query.plan));
    return query.result.kvs.map((kv) => `${kv.key}=${new TextDecoder().decode(kv.value)}`);
  }
}

export async function drain(snapshot: StateSnapshot): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  for (let next = await snapshot.next(); next !== undefined; next = await snapshot.next()) {
    chunks.push(next.slice());
  }
  await snapshot.close();
  return chunks;
}

export function streamOf(chunks: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]: () => {
      let at = 0;
      return {
        next: async () => {
          const value = chunks[at++];
          return value === undefined ? { done: true, value: undefined } : { done: false, value };
        },
      };
    },
  };
}
