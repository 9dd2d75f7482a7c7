/**
 * The leases of the reference model: a plain array, walked for everything.
 */
import type { KeyEvent, KeyVersion, LeaseCommand, LeaseEntry } from '../../src/mvcc/index.js';
import type { LogPlace } from '../../src/mvcc/lease-types.js';

/** Where the tests' n-th command stands: few different places, so that random expiries are apt. */
export function placeAt(nth: number): LogPlace {
  return { term: 1 + Math.floor(nth / 12), index: 1 + (nth % 3) };
}

export class ReferenceLeases {
  leases: LeaseEntry[] = [];

  /**
   * The answer, and the keys that go.
   *
   * @param attached - pairs of a lease, in key order
   */
  execute(
    command: LeaseCommand,
    { term, index }: LogPlace,
    attached: (id: bigint) => readonly KeyVersion[],
  ): { readonly answer: Record<string, unknown>; readonly gone: readonly KeyVersion[] } {
    const gone: KeyVersion[] = [];
    const refused = (code: string) => ({ answer: { code }, gone });
    if (command.op === 'lease-checkpoint') {
      if (command.term !== term) return refused('LEADER_CHANGED');
      let noted = 0;
      for (const { id, generation, remainingMs } of command.leases) {
        const at = this.leases.findIndex((it) => it.id === id && it.generation === generation);
        if (at < 0) continue;
        noted += 1;
        this.leases[at] = { ...this.leases[at]!, remainingMs };
      }
      return { answer: { noted }, gone };
    }
    const { id } = command;
    const found = this.find(id);
    if (command.op === 'lease-grant') {
      if (found !== undefined) return refused('LEASE_EXISTS');
      const { ttlSeconds } = command;
      const lease = { id, ttlSeconds, remainingMs: 0, generation: index };
      this.leases.push(lease);
      return { answer: { lease }, gone };
    }
    if (found === undefined) return refused('LEASE_NOT_FOUND');
    const { expired } = command;
    if (expired !== undefined && expired.term !== term) return refused('LEADER_CHANGED');
    if (expired !== undefined && expired.generation !== found.generation) {
      return refused('LEASE_NOT_FOUND');
    }
    const { generation = found.generation } = command;
    if (generation !== found.generation) return refused('LEASE_NOT_FOUND');
    this.leases = this.leases.filter((it) => it !== found);
    const own = attached(id);
    return { answer: { id, deleted: own.length }, gone: own };
  }

  find(id: bigint): LeaseEntry | undefined {
    return this.leases.find((it) => it.id === id);
  }
}

/** The deletes of a revoke. */
export function deletesOf(gone: readonly KeyVersion[], revision: number): KeyEvent[] {
  return gone.map((previous, sub) => {
    return { type: 'delete', key: previous.key, revision, sub, previous };
  });
}
