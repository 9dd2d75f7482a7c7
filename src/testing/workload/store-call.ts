/** What a client of a store did and was told, as the checkers read it. */
import { binaryString } from '../../base/bytes.js';
import type { Command, KeyVersion, RangeOperation } from '../../mvcc/types.js';
import type { KeyValue } from '../../store/key-value.js';
import type { Store } from '../../store/store.js';
import type { KeyspaceAnswer } from '../checkers/keyspace-answer.js';
import type { Observed } from '../checkers/observed.js';
import type { ClientCall, NextCall } from './clients.js';

/** An answer, as far as a client sees it. @since 0.1.0 */
export type StoreAnswer = Observed<KeyspaceAnswer>;

/** A call that is still to be made. @since 0.1.0 */
export type DrawnCall = NextCall<Store, Command | RangeOperation, StoreAnswer>;

/** A call and what came of it, refusals of the keyspace being answers. @since 0.1.0 */
export type StoreCall = ClientCall<Command | RangeOperation, StoreAnswer>;

/** A pair as the keyspace keeps it. @since 0.1.0 */
export function versionOf(kv: KeyValue): KeyVersion {
  const { createRevision, modRevision, version, lease } = kv;
  const key = binaryString(kv.key);
  return { key, value: kv.value, createRevision, modRevision, version, lease };
}
