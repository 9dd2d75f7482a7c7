/** A log file of LevelDB with given records, framed by the rules of its format and not by its reader. */
import { crc32c, masked } from '../../../src/storage/level-files/crc32c.js';

const blockBytes = 32 * 1024;

export function levelLog(records: readonly Uint8Array[]): Buffer {
  const pieces: Buffer[] = [];
  let at = 0;
  const push = (piece: Buffer): void => {
    pieces.push(piece);
    at += piece.length;
  };
  for (const record of records) {
    for (let from = 0, isFirst = true; isFirst || from < record.length; isFirst = false) {
      let room = blockBytes - (at % blockBytes);
      if (room < 7) {
        push(Buffer.alloc(room));
        room = blockBytes;
      }
      const data = record.subarray(from, from + room - 7);
      from += data.length;
      const isLast = from === record.length;
      const type = isFirst ? (isLast ? 1 : 2) : isLast ? 4 : 3;
      const head = Buffer.alloc(7);
      head[6] = type;
      head.writeUInt16LE(data.length, 4);
      const summed = Buffer.concat([Buffer.of(type), data]);
      head.writeUInt32LE(masked(crc32c(summed, 0, summed.length)), 0);
      push(Buffer.concat([head, data]));
    }
  }
  return Buffer.concat(pieces);
}
