/** A path to a listener that lets through as many bytes as the test says; all of them go back at once. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { parseAddress } from '../../../src/transport/address.js';

export class NarrowPath {
  readonly #server: Server;
  readonly #sockets: Socket[] = [];
  #waiting = Buffer.alloc(0);
  #out: Socket | undefined;
  isWide = true;

  private constructor(to: string) {
    this.#server = createServer((socket) => {
      const out = connect(parseAddress(to));
      this.#out = out;
      this.#sockets.push(socket, out);
      for (const each of [socket, out]) each.on('error', () => {});
      out.pipe(socket);
      socket.on('close', () => out.destroy());
      socket.on('data', (chunk) => {
        this.#waiting = Buffer.concat([this.#waiting, chunk]);
        if (this.isWide) this.letThrough(this.#waiting.length);
      });
    });
  }

  /** The path, and the address where it begins. */
  static async to(address: string): Promise<[path: NarrowPath, address: string]> {
    const path = new NarrowPath(address);
    await new Promise<void>((resolve) => path.#server.listen(0, '127.0.0.1', resolve));
    return [path, `127.0.0.1:${(path.#server.address() as { port: number }).port}`];
  }

  /** Bytes that have not been let through. */
  get waiting(): number {
    return this.#waiting.length;
  }

  letThrough(bytes: number): void {
    this.#out?.write(this.#waiting.subarray(0, bytes));
    this.#waiting = this.#waiting.subarray(bytes);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
