// Which folder holds the state: a pointer that is damaged or gone is never guessed at, and a load that
// was cut short leaves the present state alone.
import { describe, expect, test } from 'vitest';
import { isKontikiError } from '../../src/base/errors.js';
import { StateFolders, WriteBehindBackend } from '../../src/storage/index.js';
import type { KvEngine } from '../../src/storage/kv-engine.js';
import { readStatePointer, stateName, writeStatePointer } from '../../src/storage/state-pointer.js';
import { Simulator } from '../../src/testing/index.js';

const dir = 'data';

class World {
  readonly sim = new Simulator({ seed: 5, traceLines: 0 });
  readonly machine = this.sim.machine('n1');
  env = this.machine.boot();

  run<T>(promise: Promise<T>): Promise<T> {
    return this.sim.complete(promise, 10_000);
  }

  find(): Promise<StateFolders> {
    const { fs, openEngine, timers } = this.env;
    const openBackend = (engine: KvEngine) => WriteBehindBackend.open({ engine, timers });
    return this.run(StateFolders.find({ fs, openEngine, dir, openBackend }));
  }

  code(promise: Promise<unknown>): Promise<unknown> {
    return promise.then(
      () => 'fine',
      (error) => isKontikiError(error) && error.code,
    );
  }

  names(): string[] {
    return this.machine.disk.names.children(dir);
  }

  /** A directory whose state came from the snapshot of entry 7. */
  async installed(): Promise<StateFolders> {
    const folders = await this.find();
    const first = await this.run(folders.openEngine());
    const load = await this.run(folders.load(7));
    await load.add([['ckey', Uint8Array.of(1)]]);
    const backend = await this.run(load.finish());
    expect(backend.openedIndex).toBe(7);
    await this.run(backend.close());
    await this.run(first.close());
    await this.run(folders.retire());
    return folders;
  }
}

describe('state folders', () => {
  test('nothing there -> the first folder, without a pointer', async () => {
    const world = new World();
    const folders = await world.find();
    expect(folders.path).toBe('data/state');
    expect(world.names()).toEqual([]);
    await world.run(folders.openEngine());
    expect(world.names()).toEqual(['state']);
  });

  test('a load that is finished -> the pointer names its folder, the old one goes', async () => {
    const world = new World();
    const folders = await world.installed();
    expect(folders.path).toBe(`data/${stateName(7)}`);
    expect(world.names()).toEqual([stateName(7), 'state.current']);
    world.machine.crash('power');
    world.env = world.machine.boot();
    const again = await world.find();
    expect(again.path).toBe(folders.path);
    const engine = await world.run(again.openEngine());
    expect(await world.run(engine.getMany(['ckey']))).toEqual([Uint8Array.of(1)]);
    await world.run(engine.close());
    const same = world.run(again.load(7));
    expect(await world.code(same)).toBe('ARGUMENT_INVALID');
  });

  test('a switch that may not be durable yet -> made so before the old state goes', async () => {
    const world = new World();
    const folders = await world.find();
    const first = await world.run(folders.openEngine());
    const load = await world.run(folders.load(7));
    await world.run((await world.run(load.finish())).close());
    await world.run(first.close());
    // Another life that finds the pointer cannot know whether the last one saw it synced.
    const done: string[] = [];
    const { fs } = world.env;
    const noted = {
      ...fs,
      list: (path: string) => fs.list(path),
      readFile: (path: string) => fs.readFile(path),
      remove: (path: string) => fs.remove(path).finally(() => done.push(`remove ${path}`)),
      syncDirectory: (path: string) =>
        fs.syncDirectory(path).finally(() => done.push(`sync ${path}`)),
    };
    world.env = { ...world.env, fs: noted };
    await world.run((await world.find()).retire());
    expect(done.filter((each) => !each.includes('space'))).toEqual([
      'sync data',
      'remove data/state',
      'sync data',
    ]);
  });

  test('a load that is cut short, then another of the same entry -> nothing of the first is in it', async () => {
    const world = new World();
    const folders = await world.find();
    await world.run(folders.openEngine());
    const load = await world.run(folders.load(9));
    await world.run(Promise.resolve(load.add([['cgone', new Uint8Array(5 << 20)]])));
    world.machine.crash('process');
    world.env = world.machine.boot();
    const again = await world.find();
    expect(again.path).toBe('data/state');
    const second = await world.run(again.load(9));
    await second.add([['ckept', Uint8Array.of(2)]]);
    const backend = await world.run(second.finish());
    const view = backend.capture();
    expect((await world.run(view.next(9))).map(([key]) => key)).toEqual(['ckept']);
    await world.run(view.close());
  });

  test('a load that is discarded -> its folder is gone', async () => {
    const world = new World();
    const folders = await world.find();
    await world.run(folders.openEngine());
    const load = await world.run(folders.load(9));
    expect(world.names()).toEqual(['state', stateName(9)]);
    await world.run(load.discard());
    expect(world.names()).toEqual(['state']);
  });

  test('the pointer is gone, or its folder -> refused, nothing changed', async () => {
    const world = new World();
    await world.installed();
    const { fs } = world.env;
    const bytes = (await world.run(fs.readFile('data/state.current'))) as Uint8Array;
    await world.run(fs.remove('data/state.current'));
    expect(await world.code(world.find())).toBe('STATE_CORRUPT');
    expect(world.names()).toEqual([stateName(7)]);
    const file = await world.run(fs.open('data/state.current', 'create'));
    await world.run(file.write(0, [bytes]));
    expect((await world.find()).path).toBe(`data/${stateName(7)}`);
    await world.run(fs.remove(`data/${stateName(7)}`));
    expect(await world.code(world.find())).toBe('STATE_CORRUPT');
  });

  test('every byte of the pointer flipped, and every cut -> the same name, or refused', async () => {
    const world = new World();
    const { fs } = world.env;
    await world.run(writeStatePointer(fs, dir, stateName(200)));
    expect(await world.run(readStatePointer(fs, dir))).toBe('state-00000000000000c8');
    const bytes = (await world.run(fs.readFile('data/state.current'))) as Uint8Array;
    const write = async (changed: Uint8Array) => {
      await world.run(fs.remove('data/state.current'));
      const file = await world.run(fs.open('data/state.current', 'create'));
      await world.run(file.write(0, [changed]));
      await world.run(file.close());
      return world.code(world.run(readStatePointer(fs, dir)));
    };
    for (let at = 0; at < bytes.length; at += 1) {
      for (let bit = 0; bit < 8; bit += 1) {
        const changed = bytes.slice();
        changed[at] = (changed[at] as number) ^ (1 << bit);
        expect(await write(changed)).toBe('STATE_CORRUPT');
      }
      expect(await write(bytes.subarray(0, at))).toBe('STATE_CORRUPT');
    }
    expect(await write(bytes)).toBe('fine');
  });

  test('a pointer of a later format -> refused by name', async () => {
    const world = new World();
    const { fs } = world.env;
    const body = 'kontiki-state 2 state-00000000000000c8 ';
    const crc = fs.crc32(new TextEncoder().encode(body)).toString(16).padStart(8, '0');
    const file = await world.run(fs.open('data/state.current', 'create'));
    await world.run(file.write(0, [new TextEncoder().encode(`${body}${crc}\n`)]));
    expect(await world.code(world.run(readStatePointer(fs, dir)))).toBe('FORMAT_UNSUPPORTED');
  });
});
