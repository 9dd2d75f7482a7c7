/**
 * The append request, the one message that carries bulk. Per entry only term, type and data travel;
 * its index follows from its place, so a frame can not express a hole.
 *
 *     [kind, from, to, term, previous.term, previous.index, commit, (entry.term, type, data)*]
 */
import { assert } from '../base/assert.js';
import { kontikiError } from '../base/errors.js';
import type { AppendRequest, Envelope } from '../raft/messages.js';
import type { Entry, EntryType } from '../raft/types.js';
import { type FlatReader, invalidField } from './flat-reader.js';
import type { Scalar } from './packr.js';

/** Place in the list is the number on the wire: only ever append. @since 0.1.0 */
export const entryTypes: readonly EntryType[] = ['normal', 'config-change', 'config-change-v2'];
const elementsPerEntry = 3;

/**
 * Appends the fields of `message` after its envelope to `values`.
 *
 * @since 0.1.0
 */
export function writeAppend(values: Scalar[], message: AppendRequest): void {
  const { previous, entries, commit } = message;
  values.push(previous.term, previous.index, commit);
  let index = previous.index;
  for (const entry of entries) {
    index += 1;
    assert(entry.index === index, 'an append message has no holes');
    values.push(entry.term, entryTypes.indexOf(entry.type), entry.data);
  }
}

/**
 * Reads the fields after the envelope. The entries' data are views of the encoding.
 *
 * @throws {KontikiError} FRAME_INVALID
 * @since 0.1.0
 */
export function readAppend(envelope: Envelope, reader: FlatReader): AppendRequest {
  const previous = {
    term: reader.integer('previous.term'),
    index: reader.integer('previous.index'),
  };
  const commit = reader.integer('commit');
  const count = reader.left / elementsPerEntry;
  if (!Number.isInteger(count) || !Number.isSafeInteger(previous.index + count)) {
    throw kontikiError('FRAME_INVALID', `${reader.left} elements are not a run of entries`);
  }
  const entries: Entry[] = new Array(count);
  let last = Math.max(previous.term, 1);
  for (let at = 0; at < count; at += 1) {
    const term = reader.integer('entry.term', last);
    if (term > envelope.term) throw invalidField('entry.term', term);
    const type = reader.oneOf('entry.type', entryTypes);
    const index = previous.index + 1 + at;
    entries[at] = { term, index, type, data: reader.bytes('entry.data') };
    last = term;
  }
  const { from, to, term } = envelope;
  return { kind: 'append-request', from, to, term, previous, entries, commit };
}
