// Real directories and ports for one test, and an exact account of what is in a directory.
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { StoreOptions } from '../../src/assembly/store-config.js';
import { openStore } from '../../src/preset/open-store.js';
import { readMemberFile } from '../../src/storage/member-file.js';
import { nodeFileSystem } from '../../src/storage/node-fs/index.js';
import type { Store } from '../../src/store/store.js';

export class Place {
  readonly #root: string;
  readonly #stores: Store[] = [];
  readonly #servers: Server[] = [];

  private constructor(root: string) {
    this.#root = root;
  }

  static async make(): Promise<Place> {
    return new Place(await mkdtemp(join(tmpdir(), 'kontiki-')));
  }

  /** Path of a directory that may not exist yet. */
  dir(name: string): string {
    return join(this.#root, name);
  }

  /** An empty directory. */
  async emptyDir(name: string): Promise<string> {
    await mkdir(this.dir(name));
    return this.dir(name);
  }

  /** Opens a store that is closed with the place; ticks are short, so that elections are. */
  async open(options: StoreOptions): Promise<Store> {
    const store = await openStore({ tickMs: 10, ...options });
    this.#stores.push(store);
    return store;
  }

  /** Ports that nobody listens on. */
  async cluster(...names: string[]): Promise<Record<string, string>> {
    const taken = await Promise.all(names.map(() => listening('127.0.0.1:0')));
    const addresses = taken.map(
      (server) => `127.0.0.1:${(server.address() as { port: number }).port}`,
    );
    await Promise.all(taken.map(closed));
    return Object.fromEntries(names.map((name, nth) => [name, addresses[nth] as string]));
  }

  /**
   * Resolves once each of the open members has met all others. Before, the rest of a group may be unable
   * to elect without the one that is to go: who has history takes nobody that is new to it (ADR 0018).
   */
  async met(...names: string[]): Promise<void> {
    for (const name of names) {
      const peers = async () => (await readMemberFile(nodeFileSystem, this.dir(name)))?.peers;
      while (((await peers())?.length ?? 0) < names.length - 1) await setTimeout(5);
    }
  }

  /** Takes an address, as another program would. */
  async occupy(address: string): Promise<void> {
    this.#servers.push(await listening(address));
  }

  async close(): Promise<void> {
    await Promise.all(this.#stores.map((store) => store.close()));
    await Promise.all(this.#servers.map(closed));
    await rm(this.#root, { recursive: true, force: true });
  }
}

/** Every file below a directory with its size and a hash of its bytes. */
export async function listing(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const lines = entries.map(async (entry) => {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) return `${path}/`;
    const bytes = await readFile(path);
    return `${path} ${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}`;
  });
  return (await Promise.all(lines)).sort();
}

/** Whether a port could be listened on now. */
export async function isFree(address: string): Promise<boolean> {
  try {
    await closed(await listening(address));
    return true;
  } catch {
    return false;
  }
}

function listening(address: string): Promise<Server> {
  const [host, port] = address.split(':');
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port: Number(port), exclusive: true }, () => resolve(server));
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
