// A path to each peer that lets through so many bytes in a millisecond; the rest waits in line for it, up to
// what a transport holds for a peer.
import { limits } from '../../src/base/limits.js';
import { encodeWireMessage } from '../../src/codec/wire-codec.js';
import type { WireMessage } from '../../src/codec/wire-message.js';
import type { MemberId } from '../../src/raft/types.js';
import type { Transport } from '../../src/transport/transport.js';
import type { VirtualTime } from './virtual-time.js';

export class SlowPaths {
  readonly #time: VirtualTime;
  readonly #bytesPerMs: number;

  constructor(time: VirtualTime, bytesPerMs: number) {
    this.#time = time;
    this.#bytesPerMs = bytesPerMs;
  }

  /** The transport with such paths in front of it. */
  before(inner: Transport): Transport {
    const lines = new Map<MemberId, { waiting: number; freeAtMs: number }>();
    const send = (message: WireMessage): void => {
      const line = lines.get(message.to) ?? { waiting: 0, freeAtMs: 0 };
      lines.set(message.to, line);
      const { length } = encodeWireMessage(message);
      if (line.waiting + length > limits.peerQueueBytesMax) return;
      line.waiting += length;
      const nowMs = this.#time.monotonicMs();
      line.freeAtMs = Math.max(nowMs, line.freeAtMs) + length / this.#bytesPerMs;
      this.#time.after(line.freeAtMs - nowMs, () => {
        line.waiting -= length;
        inner.send(message);
        inner.flush();
      });
    };
    return {
      send,
      listen: () => inner.listen(),
      probe: (self) => inner.probe(self),
      start: (self, handlers) => inner.start(self, handlers),
      updatePeers: (members) => inner.updatePeers(members),
      flush: () => inner.flush(),
      close: () => inner.close(),
    };
  }
}
