/** Bare sockets that speak the protocol by hand, well or badly. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { crc32 } from '../../../src/base/crc32.js';
import { encodeWireMessage } from '../../../src/codec/wire-codec.js';
import type { WireMessage } from '../../../src/codec/wire-message.js';
import { parseAddress } from '../../../src/transport/address.js';
import { type Answer, decodeAnswer, encodeAnswer } from '../../../src/transport/answer.js';
import { frameOf } from '../../../src/transport/frame.js';
import { FrameParser } from '../../../src/transport/frame-parser.js';
import { acceptanceOf, helloOf, inquiryHello } from '../../../src/transport/handshake.js';
import { decodeHello, encodeHello } from '../../../src/transport/hello.js';
import type { MemberIdentity } from '../../../src/transport/transport.js';
import { identityOf, until } from '../recorder.js';

export class RawPeer {
  readonly socket: Socket;
  /** Payloads that came. */
  readonly payloads: Uint8Array[] = [];
  readonly #parser = new FrameParser(16 << 20, crc32);
  closed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
    });
    socket.on('data', (chunk) => {
      this.#parser.push(chunk as Uint8Array);
      for (let next = this.#parser.next(); next !== undefined; next = this.#parser.next()) {
        this.payloads.push(next.slice());
      }
    });
  }

  /** @param localAddress - of the loopback network, to come from; default 127.0.0.1 */
  static to(address: string, localAddress = '127.0.0.1'): RawPeer {
    return new RawPeer(connect({ ...parseAddress(address), localAddress }));
  }

  /** Connects to `address` and says hello as member `from` to member `to`. */
  static greet(address: string, from: number, to: number): RawPeer {
    const peer = RawPeer.to(address);
    peer.write(frameOf(encodeHello(helloOf(identityOf(from), to, false)), crc32));
    return peer;
  }

  /** As {@link greet}, to member 2 over TLS. */
  static greetSecurely(address: string, from: MemberIdentity, options: ConnectionOptions): RawPeer {
    const peer = new RawPeer(connectTls({ ...parseAddress(address), ...options }));
    peer.write(frameOf(encodeHello(helloOf(from, 2, false)), crc32));
    return peer;
  }

  /** As one that is no member yet, over TLS. */
  static askSecurely(address: string, question: Uint8Array, options: ConnectionOptions): RawPeer {
    const peer = new RawPeer(connectTls({ ...parseAddress(address), ...options }));
    peer.write(frameOf(encodeHello(inquiryHello(question)), crc32));
    return peer;
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  send(message: WireMessage): void {
    this.write(messageFrame(message));
  }

  async answer(): Promise<Answer> {
    await until(() => this.payloads.length > 0);
    return decodeAnswer(this.payloads[0] as Uint8Array);
  }

  untilClosed(): Promise<void> {
    return until(() => this.closed);
  }
}

export function messageFrame(message: WireMessage): Uint8Array {
  return frameOf(encodeWireMessage(message), crc32);
}

/** A listener on a free port; `onPeer` gets every connection. */
export class RawListener {
  readonly #server: Server;
  readonly peers: RawPeer[] = [];

  constructor(onPeer: (peer: RawPeer) => void = () => {}) {
    this.#server = createServer((socket) => {
      const peer = new RawPeer(socket);
      this.peers.push(peer);
      onPeer(peer);
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(this.#server.address() as { port: number }).port}`;
  }

  async close(): Promise<void> {
    for (const { socket } of this.peers) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** Answers the hello of `peer` as `member` would. */
export async function acceptAs(member: number, peer: RawPeer): Promise<void> {
  await until(() => peer.payloads.length > 0);
  const hello = decodeHello(peer.payloads[0] as Uint8Array);
  peer.write(frameOf(encodeAnswer(acceptanceOf(hello, identityOf(member))), crc32));
}
