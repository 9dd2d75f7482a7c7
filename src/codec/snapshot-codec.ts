/**
 * A snapshot inside a message: where it stands, who belonged to the group there, and the data that
 * the driver put into it.
 *
 *     [..., last.term, last.index, data, autoLeave, (count, id*) x 4, context?]
 *
 * The four lists are voters, outgoing voters, learners, learners to be.
 */
import type { ConfState } from '../raft/configuration.js';
import type { MemberId, Snapshot } from '../raft/types.js';
import { type FlatReader, invalidField } from './flat-reader.js';
import type { Scalar } from './packr.js';

/**
 * Appends the fields of `snapshot` to `values`.
 *
 * @since 0.1.0
 */
export function writeSnapshot(values: Scalar[], { last, configuration, data }: Snapshot): void {
  values.push(last.term, last.index, data, configuration.autoLeave ?? false);
  const { voters, votersOutgoing, learners, learnersNext } = configuration;
  for (const ids of [voters, votersOutgoing, learners, learnersNext]) {
    values.push(ids?.length ?? 0);
    for (const id of ids ?? []) values.push(id);
  }
  const { context } = configuration;
  if (context !== undefined && context.length > 0) values.push(context);
}

/**
 * Reads what {@link writeSnapshot} wrote. The data are a view of the encoding; whether the lists make
 * a configuration is for the core to say.
 *
 * @throws {KontikiError} FRAME_INVALID
 * @since 0.1.0
 */
export function readSnapshot(reader: FlatReader): Snapshot {
  const last = { term: reader.integer('last.term', 1), index: reader.integer('last.index', 1) };
  const data = reader.bytes('data');
  const autoLeave = reader.boolean('autoLeave');
  const configuration: ConfState = {
    voters: readIds(reader),
    votersOutgoing: readIds(reader),
    learners: readIds(reader),
    learnersNext: readIds(reader),
    autoLeave,
  };
  if (reader.left === 0) return { last, configuration, data };
  // Kept for as long as the configuration is, and the rest of the message is not.
  const context = new Uint8Array(reader.bytes('context'));
  return { last, configuration: { ...configuration, context }, data };
}

function readIds(reader: FlatReader): MemberId[] {
  const count = reader.integer('count');
  if (count > reader.left) throw invalidField('count', count);
  const ids: MemberId[] = new Array(count);
  for (let at = 0; at < count; at += 1) ids[at] = reader.integer('id', 1);
  return ids;
}
