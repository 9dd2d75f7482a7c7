/**
 * A proxy before each member, through which all others reach it. It reads the first frame of each
 * connection, which says whose it is, so that every direction between two members can be cut apart. As
 * on a network that drops packets nobody is told: bytes and the ends of connections wait until it is
 * healed, and whoever is tired of waiting has to notice by himself.
 */
import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { crc32 } from '../../src/base/crc32.js';
import { parseAddress } from '../../src/transport/address.js';
import { FrameParser } from '../../src/transport/frame-parser.js';
import { decodeHello } from '../../src/transport/hello.js';

/** Whether nothing gets from one member to another. */
export type IsCut = (from: number, to: number) => boolean;

/** As much as a connection takes before the sender has to wait. */
const heldBytesMax = 256 * 1024;

/** One direction of a connection. */
class Pipe {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #isCut: () => boolean;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #isEnded = false;

  constructor(from: Socket, to: Socket, isCut: () => boolean) {
    this.#from = from;
    this.#to = to;
    this.#isCut = isCut;
    from.on('close', () => {
      this.#isEnded = true;
      this.pump();
    });
  }

  take(chunk: Buffer): void {
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    this.pump();
    if (this.#heldBytes > heldBytesMax) this.#from.pause();
  }

  pump(): void {
    if (this.#isCut()) return;
    for (const chunk of this.#held) this.#to.write(chunk);
    this.#held = [];
    this.#heldBytes = 0;
    this.#from.resume();
    if (this.#isEnded) this.#to.destroy();
  }

  get isDone(): boolean {
    return this.#isEnded && this.#held.length === 0;
  }
}

export class LinkProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #pipes = new Set<Pipe>();
  readonly #target: { readonly host: string; readonly port: number };
  readonly #memberId: () => number;
  readonly #isCut: IsCut;

  /**
   * @param memberId - of the member behind it, which may be another one day
   * @param target - its own address
   */
  constructor(memberId: () => number, target: string, isCut: IsCut) {
    this.#memberId = memberId;
    this.#target = parseAddress(target);
    this.#isCut = isCut;
    this.#server = createServer((socket) => this.#onConnection(socket));
  }

  listen(address: string): Promise<void> {
    const { host, port } = parseAddress(address);
    return new Promise((resolve) => {
      this.#server.listen(port, host, resolve);
    });
  }

  /** Lets through what waited, where nothing is cut any more. */
  pump(): void {
    for (const pipe of this.#pipes) {
      pipe.pump();
      if (pipe.isDone) this.#pipes.delete(pipe);
    }
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #onConnection(socket: Socket): void {
    const target = dial(this.#target);
    const parser = new FrameParser(1_024, crc32);
    let from: number | undefined;
    const there = new Pipe(
      socket,
      target,
      () => from === undefined || this.#isCut(from, this.#memberId()),
    );
    const back = new Pipe(
      target,
      socket,
      () => from !== undefined && this.#isCut(this.#memberId(), from),
    );
    for (const each of [socket, target]) this.#track(each);
    this.#keep(there, socket);
    this.#keep(back, target);
    socket.on('data', (chunk: Buffer) => {
      from ??= sourceOf(parser, chunk);
      there.take(chunk);
    });
    target.on('data', (chunk: Buffer) => back.take(chunk));
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }

  /** Until its end has got through. */
  #keep(pipe: Pipe, from: Socket): void {
    this.#pipes.add(pipe);
    from.on('close', () => {
      if (pipe.isDone) this.#pipes.delete(pipe);
    });
  }
}

/** Who says hello; `undefined` while the frame has not come whole. */
function sourceOf(parser: FrameParser, chunk: Buffer): number | undefined {
  parser.push(chunk);
  const payload = parser.next();
  return payload === undefined ? undefined : decodeHello(payload).from.memberId;
}
