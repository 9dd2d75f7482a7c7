// Random histories of a file and of names, then a power loss: what is left must be a state that the
// contract of FileSystem allows, worked out here from whole-file histories and not from sectors.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FileSystem } from '../../src/storage/file-system.js';
import { Simulator } from '../../src/testing/simulator.js';

const sector = 512;

const fileStep = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      offset: fc.nat(6 * sector),
      length: fc.integer({ min: 1, max: 3 * sector }),
      value: fc.integer({ min: 1, max: 255 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('cut' as const), size: fc.nat(6 * sector) }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'sync' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'sync without waiting' as const }) },
);

/** The file as readers saw it after each step since the last completed sync, that one included. */
class History {
  states: Uint8Array[] = [new Uint8Array(0)];

  get newest(): Uint8Array {
    return this.states.at(-1)!;
  }

  write(offset: number, bytes: Uint8Array): void {
    const next = new Uint8Array(Math.max(this.newest.length, offset + bytes.length));
    next.set(this.newest);
    next.set(bytes, offset);
    this.states.push(next);
  }

  cut(size: number): void {
    const next = new Uint8Array(size);
    next.set(this.newest.subarray(0, size));
    this.states.push(next);
  }

  synced(): void {
    this.states = [this.newest];
  }

  /** Each sector is one version it had, cut where the file may have been cut, zero behind. */
  checkLegal(left: Uint8Array): void {
    const sizes = this.states.map((state) => state.length);
    expect(sizes).toContain(left.length);
    for (let from = 0; from < left.length; from += sector) {
      const seen = left.slice(from, from + sector);
      const legal = this.states.some((state) =>
        sizes.some((size) => {
          const version = new Uint8Array(seen.length);
          version.set(state.subarray(from, Math.min(size, from + seen.length)));
          return Buffer.compare(version, seen) === 0;
        }),
      );
      if (!legal) expect.fail(`sector at ${from} was never like this: ${seen}`);
    }
  }
}

describe('power loss', () => {
  test('any history of one file -> a size and sectors it had since the last sync', async () => {
    const property = fc.asyncProperty(
      fc.nat(),
      fc.array(fileStep, { maxLength: 14 }),
      async (seed, steps) => {
        const sim = new Simulator({ seed, traceLines: 0 });
        const machine = sim.machine('n1');
        const { fs } = machine.boot();
        const done = <T>(promise: Promise<T>): Promise<T> => sim.complete(promise, 100);
        const file = await done(fs.open('data/a', 'create'));
        await done(fs.syncDirectory('data'));
        const history = new History();
        for (const step of steps) {
          if (step.kind === 'write') {
            const bytes = new Uint8Array(step.length).fill(step.value);
            await done(file.write(step.offset, [bytes]));
            history.write(step.offset, bytes);
          } else if (step.kind === 'cut') {
            await done(file.truncate(step.size));
            history.cut(step.size);
          } else if (step.kind === 'sync') {
            await done(file.sync());
            history.synced();
          } else {
            void file.sync();
          }
        }
        machine.crash();
        const again = await done(machine.boot().fs.open('data/a', 'read-write'));
        const left = await done(again.read(0, await done(again.size())));
        history.checkLegal(left);
        // Nothing of what was lost comes back when the file grows again.
        await done(again.truncate(left.length + 2 * sector));
        expect(await done(again.read(left.length, 2 * sector))).toEqual(new Uint8Array(2 * sector));
      },
    );
    await fc.assert(property, { numRuns: 150 });
  });

  const names = ['data/a', 'data/b', 'data/sub/a', 'data/sub/b'] as const;
  const nameStep = fc.oneof(
    fc.record({ kind: fc.constant('create' as const), path: fc.constantFrom(...names) }),
    fc.record({ kind: fc.constant('remove' as const), path: fc.constantFrom(...names) }),
    fc.record({
      kind: fc.constant('rename' as const),
      path: fc.constantFrom(...names),
      to: fc.constantFrom(...names),
    }),
    fc.record({ kind: fc.constant('sync' as const), path: fc.constantFrom('data', 'data/sub') }),
  );

  test('any history of names -> each leads where it led at some time since its sync', async () => {
    const property = fc.asyncProperty(
      fc.nat(),
      fc.array(nameStep, { maxLength: 14 }),
      async (seed, steps) => {
        const sim = new Simulator({ seed, traceLines: 0 });
        const machine = sim.machine('n1');
        machine.disk.provide('data/sub');
        const { fs } = machine.boot();
        const done = <T>(promise: Promise<T>): Promise<T> => sim.complete(promise, 100);
        const now = new Map<string, number>();
        let legal = new Map<string, Set<number | undefined>>(
          names.map((path) => [path, new Set([undefined])]),
        );
        for (const [at, step] of steps.entries()) {
          if (step.kind === 'sync') {
            await done(fs.syncDirectory(step.path));
            legal = new Map(
              [...legal].map(([path, old]) => {
                const own = path.slice(0, path.lastIndexOf('/')) === step.path;
                return [path, own ? new Set([now.get(path)]) : old];
              }),
            );
            continue;
          }
          await changeNames(fs, done, now, { ...step, at });
          for (const path of names) legal.get(path)!.add(now.get(path));
        }
        machine.crash();
        const after = machine.boot().fs;
        for (const path of names) {
          const left = await done(after.readFile(path));
          expect(legal.get(path)).toContain(left?.[0]);
        }
      },
    );
    await fc.assert(property, { numRuns: 150 });
  });

  test('a durable file that was only ever renamed -> found under exactly one name', async () => {
    const property = fc.asyncProperty(
      fc.nat(),
      fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.boolean()), { maxLength: 8 }),
      async (seed, steps) => {
        const sim = new Simulator({ seed, traceLines: 0 });
        const machine = sim.machine('n1');
        const { fs } = machine.boot();
        const done = <T>(promise: Promise<T>): Promise<T> => sim.complete(promise, 100);
        await done(fs.open('data/a', 'create'));
        await done(fs.syncDirectory('data'));
        let name = 'a';
        for (const [to, sync] of steps) {
          await done(fs.rename(`data/${name}`, `data/${to}`));
          name = to;
          if (sync) await done(fs.syncDirectory('data'));
        }
        machine.crash();
        const left = await done(machine.boot().fs.list('data'));
        expect(left).toHaveLength(1);
        if (steps.at(-1)?.[1] === true) expect(left).toEqual([name]);
      },
    );
    await fc.assert(property, { numRuns: 80 });
  });
});

type Done = <T>(promise: Promise<T>) => Promise<T>;
interface NameChange {
  readonly kind: 'create' | 'remove' | 'rename';
  readonly path: string;
  readonly to?: string;
  readonly at: number;
}

/** Does the change where it is possible; every file holds the number of the step that made it. */
async function changeNames(
  fs: FileSystem,
  done: Done,
  now: Map<string, number>,
  change: NameChange,
): Promise<void> {
  const { kind, path, to, at } = change;
  if (kind === 'create' && !now.has(path)) {
    const file = await done(fs.open(path, 'create'));
    await done(file.write(0, [Uint8Array.of(at)]));
    await done(file.sync());
    now.set(path, at);
  } else if (kind === 'remove') {
    await done(fs.remove(path));
    now.delete(path);
  } else if (kind === 'rename' && now.has(path)) {
    await done(fs.rename(path, to!));
    const node = now.get(path)!;
    now.delete(path);
    now.set(to!, node);
  }
}
