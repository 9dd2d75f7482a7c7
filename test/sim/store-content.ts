// Everything that can be asked of a store, as plain text: two stores with equal contents are equal.
import { isKontikiError } from '../../src/base/errors.js';
import type { KeyVersion } from '../../src/mvcc/index.js';
import type { KeyValue } from '../../src/store/key-value.js';
import type { Store } from '../../src/store/store.js';

export interface StoreContent {
  readonly revision: number;
  readonly compactRevision: number;
  /** In key order. */
  readonly kvs: readonly string[];
  /** By id. */
  readonly leases: readonly string[];
}

/** Linearizably, the parts one after the other: nothing is being written meanwhile. */
export async function contentOf(store: Store): Promise<StoreContent> {
  const { kvs, revision } = await store.range({ prefix: '' });
  const leases = (await store.leases()).map(({ id, ttlSeconds }) => `${id}:${ttlSeconds}`);
  return {
    revision,
    compactRevision: await compactRevisionOf(store),
    kvs: kvs.map(textOfPair),
    leases,
  };
}

/** All pairs at a revision that can still be read. */
export async function pairsAt(store: Store, revision: number): Promise<readonly string[]> {
  return (await store.range({ prefix: '', revision })).kvs.map(textOfPair);
}

export function textOfVersion(kv: KeyVersion): string {
  return textOf({ ...kv, key: kv.key, value: new TextDecoder().decode(kv.value) });
}

export function textOfPair(kv: KeyValue): string {
  const { createRevision, modRevision, version, lease } = kv;
  const fields = { createRevision, modRevision, version, lease };
  return textOf({ key: kv.keyText(), value: kv.text(), ...fields });
}

function textOf(kv: Omit<KeyVersion, 'value'> & { readonly value: string }): string {
  const { key, value, createRevision, modRevision, version, lease = 0n } = kv;
  return `${key}=${value}@${createRevision},${modRevision},${version},${lease}`;
}

/** Nothing tells it but a refusal: 0 also stands for 1, of which nothing was given up. */
async function compactRevisionOf(store: Store): Promise<number> {
  try {
    await store.get('any', { revision: 1 });
    return 0;
  } catch (error) {
    if (!isKontikiError(error, 'COMPACTED')) throw error;
    return error.compactRevision;
  }
}
