/** What members send and store, there and back through the bytes of the real formats. */
import { crc32 } from '../../../src/base/crc32.js';
import { decodeWireMessage, encodeWireMessage } from '../../../src/codec/wire-codec.js';
import type { WireMessage } from '../../../src/codec/wire-message.js';
import type { Entry, HardState, PeerMessage, Snapshot } from '../../../src/raft/index.js';
import { viewOf } from '../../../src/storage/wal/format.js';
import { GroupBuilder } from '../../../src/storage/wal/group-builder.js';
import { readGroup, recordEnd, segmentBytes } from '../../../src/storage/wal/group-reader.js';
import { decodeRecord, type WalRecord } from '../../../src/storage/wal/record.js';
import type { StorageWrite } from './scenario-storage.js';

export function passThroughWire(message: PeerMessage): PeerMessage {
  const bytes = encodeWireMessage(message);
  const decoded = decodeWireMessage(bytes);
  // Whoever keeps a view into the buffer it received finds this instead.
  bytes.fill(0xee);
  if (isOfDriver(decoded)) {
    throw new Error(`${message.kind} came back as ${decoded.kind}`);
  }
  return decoded;
}

function isOfDriver(message: WireMessage): message is Exclude<WireMessage, PeerMessage> {
  return message.kind.startsWith('forward-') || message.kind.startsWith('ask-');
}

/** The write as one group of the log. */
export function passThroughDisk(write: StorageWrite): StorageWrite {
  const { hardState, snapshot, entries, mustSync } = write;
  if (hardState === undefined && snapshot === undefined && entries.length === 0) return write;
  const records = throughGroup((group) => {
    if (snapshot !== undefined) {
      const { last, configuration } = snapshot;
      group.addMark({ kind: 'installing', snapshot: { last, configuration } });
    }
    if (hardState !== undefined) group.addHardState(hardState);
    for (const entry of entries) group.addEntry(entry);
  });
  const read: { -readonly [K in keyof StorageWrite]: StorageWrite[K] } = { entries: [], mustSync };
  const readEntries: Entry[] = [];
  for (const record of records) takeRecord(record, read, readEntries, snapshot);
  return { ...read, entries: readEntries };
}

function takeRecord(
  record: WalRecord,
  read: { hardState?: HardState; snapshot?: Snapshot },
  entries: Entry[],
  sent: Snapshot | undefined,
): void {
  if (record.kind === 'entry') entries.push({ ...record.entry, data: record.entry.data.slice() });
  else if (record.kind === 'hard-state') read.hardState = record.hardState;
  else if (record.kind === 'installing' && sent !== undefined) {
    // The state machine's bytes are in a file of their own.
    read.snapshot = { ...record.snapshot, data: sent.data };
  } else throw new Error(`a ${record.kind} record came back`);
}

const place = { segment: 3, offset: 0, sequence: 5 };

function throughGroup(fill: (group: GroupBuilder) => void): WalRecord[] {
  const builder = new GroupBuilder(crc32, 1);
  builder.reset(0);
  fill(builder);
  const bytes = builder.seal(place).slice();
  const file = segmentBytes(place.segment, bytes, crc32);
  const group = readGroup(file, 0, { sequence: place.sequence, chain: 0 });
  if (group.kind !== 'group') throw new Error(`the group came back as ${group.kind}`);
  const { from, to } = group.header.body;
  const records: WalRecord[] = [];
  for (let at = from; at < to; ) {
    const end = recordEnd(viewOf(bytes), at, to) as number;
    const decoded = decodeRecord(bytes.subarray(at, end));
    if (!('record' in decoded)) throw new Error(`a record came back as ${JSON.stringify(decoded)}`);
    records.push(decoded.record);
    at = end;
  }
  return records;
}
