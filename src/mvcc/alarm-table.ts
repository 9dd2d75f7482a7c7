/**
 * All alarms, in memory: every call asks whether its member may answer. It follows from the records
 * alone, so it is the same on every member at an applied index.
 */
import { alarmKey, decodeAlarm, encodeAlarm } from './alarm-record.js';
import { type AlarmCommand, type AlarmEntry, nobody } from './alarm-types.js';
import type { Change, StoredRecord } from './backend.js';
import type { HashSums } from './state-hash.js';

/** @since 0.1.0 */
export class AlarmTable {
  readonly #alarms = new Map<number, AlarmEntry>();

  /**
   * The table of stored alarms.
   *
   * @param records - all alarm records
   * @throws {KontikiError} STATE_CORRUPT, FORMAT_UNSUPPORTED
   */
  static of(records: readonly StoredRecord[]): AlarmTable {
    const table = new AlarmTable();
    for (const [recordKey, bytes] of records) {
      const alarm = decodeAlarm(recordKey, bytes);
      table.#alarms.set(alarm.member, alarm);
    }
    return table;
  }

  /** By member, ascending. */
  list(): readonly AlarmEntry[] {
    return [...this.#alarms.values()].sort((a, b) => a.member - b.member);
  }

  has(member: number): boolean {
    return this.#alarms.has(member);
  }

  /** Whether a member may answer nobody: its own alarm, or one that may mean it. */
  stops(member: number): boolean {
    if (this.#alarms.size === 0) return false;
    return this.#alarms.has(member) || this.#alarms.has(nobody);
  }

  /**
   * Raises or ends an alarm.
   *
   * @param index - of the entry that says so
   * @param sums - of the state hash
   * @returns what changes in the records; `undefined` when it was so before
   */
  take(command: AlarmCommand, index: number, sums: HashSums): Change | undefined {
    const { member, isRaised } = command;
    const before = this.#alarms.get(member);
    if ((before !== undefined) === isRaised) return undefined;
    if (before !== undefined) {
      this.#alarms.delete(member);
      sums.subtract('members', encodeAlarm(before));
      return [alarmKey(member), undefined];
    }
    const alarm: AlarmEntry = { member, index };
    this.#alarms.set(member, alarm);
    const bytes = encodeAlarm(alarm);
    sums.add('members', bytes);
    return [alarmKey(member), bytes];
  }
}
