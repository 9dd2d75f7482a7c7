/**
 * What must hold between the members of a scenario, whatever the file says: one leader per term, and
 * the same entries applied at the same place (Raft figure 3).
 */
import { expect } from 'vitest';
import type { Entry } from '../../../src/raft/index.js';
import type { Raft } from '../../../src/raft/raft.js';

export class ScenarioChecker {
  readonly #leaders = new Map<number, number>();
  readonly #applied = new Map<number, string>();

  /** After a step of the member. */
  checkLeader({ role, term, id }: Raft): void {
    if (role !== 'leader' || this.#leaders.get(term) === id) return;
    expect(this.#leaders.get(term), `the leader of term ${term} besides ${id}`).toBe(undefined);
    this.#leaders.set(term, id);
  }

  /** Before a member applies them. */
  checkApplied(entries: readonly Entry[]): void {
    for (const { index, term, type, data } of entries) {
      const text = `${term} ${type} ${Buffer.from(data).toString('latin1')}`;
      const known = this.#applied.get(index) ?? text;
      expect(text, `applied at ${index}`).toBe(known);
      this.#applied.set(index, known);
    }
  }
}
