/** A database whose cursors read live, as IndexedDB's do. */
import type { LevelDatabase } from '../../src/storage/abstract-level.js';

export class LiveDatabase implements LevelDatabase {
  readonly supports = { implicitSnapshots: false };
  readonly data = new Map<string, Uint8Array>();
  failWith: unknown;
  writing: Promise<void> | undefined;

  async open(): Promise<void> {
    if (this.failWith !== undefined) throw this.failWith;
  }

  async close(): Promise<void> {}

  async getMany(keys: string[]) {
    if (this.failWith !== undefined) throw this.failWith;
    return keys.map((key) => this.data.get(key));
  }

  batch() {
    const pairs: [string, Uint8Array | undefined][] = [];
    return {
      put: (key: string, value: Uint8Array) => pairs.push([key, value]),
      del: (key: string) => pairs.push([key, undefined]),
      close: async () => {},
      write: async () => {
        await this.writing;
        for (const [key, value] of pairs) {
          if (value === undefined) this.data.delete(key);
          else this.data.set(key, value);
        }
      },
    };
  }

  iterator({ gte, lt }: { gte: string; lt: string }) {
    let from = gte;
    return {
      close: async () => {},
      nextv: async (size: number) => {
        const inside = [...this.data].filter(([key]) => key >= from && key < lt).sort();
        const pairs = inside.slice(0, size);
        from = `${pairs.at(-1)?.[0] ?? lt}\0`;
        return pairs;
      },
    };
  }
}
