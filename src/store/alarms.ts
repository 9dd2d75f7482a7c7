/**
 * The alarms of a store, and what they mean for its calls: a member whose state is known to be wrong
 * answers nobody (DESIGN §4.21). It stays in the group: its log is sound, and a vote rests on that alone.
 */
import { isErrorOf, isKontikiError, type KontikiError, kontikiError } from '../base/errors.js';
import { type AlarmEntry, nobody } from '../mvcc/alarm-types.js';
import type { Keyspace } from '../mvcc/keyspace.js';
import type { Command } from '../mvcc/types.js';
import type { MemberId } from '../node/index.js';
import { callOptionNames, checkCallOptions, checkOptions } from './arguments.js';
import type { CallOptions } from './kv-client.js';

/** Why a write was refused without a look at the state. */
const ofTheWay = ['CLOSED', 'LEADER_CHANGED', 'NO_LEADER', 'NO_SPACE', 'OVERLOADED'] as const;

/** An alarm that is raised. @since 0.1.0 */
export interface StoreAlarm {
  readonly kind: 'CORRUPT';
  /**
   * Whose state differs from the majority's; `undefined`: members differ, nobody can say who is right, and
   * none of them answers.
   */
  readonly memberId: MemberId | undefined;
  /** Name of that member, or its id, if it is of the group no more. */
  readonly member: string | undefined;
}

/** @since 0.1.0 */
export interface StoreAlarmsParts {
  readonly memberId: MemberId;
  readonly memberNames: ReadonlyMap<MemberId, string>;
  readonly keyspace: () => Pick<Keyspace, 'alarms'>;
  /** Resolves once everything acknowledged before is applied here. */
  readonly barrier: (options: CallOptions) => Promise<void>;
  readonly propose: (command: Command, options: CallOptions) => Promise<unknown>;
}

/** @since 0.1.0 */
export class StoreAlarms {
  readonly #parts: StoreAlarmsParts;

  constructor(parts: StoreAlarmsParts) {
    this.#parts = parts;
  }

  /** As of the last entry applied here. */
  get present(): readonly StoreAlarm[] {
    return this.#parts
      .keyspace()
      .alarms.list()
      .map((alarm) => this.#named(alarm));
  }

  /** Why this member answers nobody, if it does not. */
  refusal(outcome: 'rejected' | 'unknown' = 'rejected'): KontikiError | undefined {
    const { alarms } = this.#parts.keyspace();
    const { memberId } = this.#parts;
    if (!alarms.stops(memberId)) return undefined;
    const why = alarms.has(memberId)
      ? 'the state of this member is not what the majority holds'
      : 'members hold different states, and nobody can say which is right';
    return kontikiError('CORRUPT', `store: ${why}`, { outcome });
  }

  /**
   * Of a write that the state refused: what is known to be wrong cannot say that the others refused it.
   *
   * @returns what to tell in place of `error`, if so
   */
  doubtOf(error: unknown): KontikiError | undefined {
    if (!isKontikiError(error) || error.outcome !== 'rejected') return undefined;
    return isErrorOf(error, ofTheWay) ? undefined : this.refusal('unknown');
  }

  /** Why nobody may take this member's state for its own, if so. */
  snapshotRefusal(): KontikiError | undefined {
    const { keyspace, memberId } = this.#parts;
    return keyspace().alarms.has(memberId) ? this.refusal() : undefined;
  }

  /** See `Store.alarms`. */
  async list(options: CallOptions): Promise<readonly StoreAlarm[]> {
    checkOptions(options, callOptionNames, 'alarms');
    checkCallOptions(options);
    await this.#parts.barrier(options);
    return this.present;
  }

  /** See `Store.disarm`. */
  async end(alarm: Pick<StoreAlarm, 'memberId'>, options: CallOptions): Promise<void> {
    checkOptions(options, callOptionNames, 'disarm');
    const { memberId = nobody } = alarm ?? {};
    const isGiven = typeof alarm === 'object' && alarm !== null && 'memberId' in alarm;
    if (!isGiven || !Number.isSafeInteger(memberId) || memberId < 0) {
      const message = 'store: expected an alarm to disarm as alarms() gives it, { memberId }';
      throw kontikiError('ARGUMENT_INVALID', message, { outcome: 'rejected' });
    }
    await this.#parts.propose({ op: 'alarm', member: memberId, isRaised: false }, options);
  }

  #named({ member }: AlarmEntry): StoreAlarm {
    if (member === nobody) return { kind: 'CORRUPT', memberId: undefined, member: undefined };
    const name = this.#parts.memberNames.get(member) ?? String(member);
    return { kind: 'CORRUPT', memberId: member, member: name };
  }
}
