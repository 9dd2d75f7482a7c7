// `openNode` on real files and sockets: a state machine of one's own, what it is told and what it keeps.

import { channel } from 'node:diagnostics_channel';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { MachineNode } from '../../src/index.js';
import { type CommandEntry, type CommandMachine, openNode, openStore } from '../../src/index.js';
import { Place } from './place.js';

/** Remembers texts, in a file that it writes with each batch. */
class Texts implements CommandMachine<number> {
  texts: string[] = [];
  durableIndex = 0;
  isClosed = false;
  readonly #path: string | undefined;

  constructor(path?: string) {
    this.#path = path;
  }

  async open() {
    if (this.#path !== undefined) {
      await mkdir(dirname(this.#path), { recursive: true });
      const text = await readFile(this.#path, 'utf8').catch(() => '{"index":0,"texts":[]}');
      const { index, texts } = JSON.parse(text);
      this.durableIndex = index;
      this.texts = texts;
    }
    return { appliedIndex: this.durableIndex };
  }

  async apply(entries: readonly CommandEntry[]) {
    const answers = entries.map(({ command }) => {
      if (command === undefined) return undefined;
      this.texts.push(Buffer.from(command).toString());
      return this.texts.length;
    });
    const index = entries.at(-1)?.index ?? 0;
    if (this.#path !== undefined) {
      await writeFile(this.#path, JSON.stringify({ index, texts: this.texts }));
    }
    this.durableIndex = index;
    return answers;
  }

  async flush() {}

  async close() {
    this.isClosed = true;
  }
}

const bytes = (text: string) => Buffer.from(text);
const ticks = { tickMs: 10 };

let place: Place;
let nodes: MachineNode<number>[];
beforeEach(async () => {
  place = await Place.make();
  nodes = [];
});
afterEach(async () => {
  await Promise.all(nodes.map((node) => node.close()));
  await place.close();
});

const open = async (options: Parameters<typeof openNode<number>>[0]) => {
  const node = await openNode({ ...ticks, ...options });
  nodes.push(node);
  return node;
};

describe('members', () => {
  test('added, joined, leads, the first removed -> status tells them by their names', async () => {
    const { a, b } = (await place.cluster('a', 'b')) as { readonly a: string; readonly b: string };
    const times = { timeoutMs: 20_000 };
    const first = await open({
      ...{ stateMachine: new Texts(), name: 'a', listen: a, dir: place.dir('a'), ...times },
    });
    await first.propose(bytes('x'));
    const id = await first.members.add('b', b);
    expect(first.status().members).toEqual(['a', 'b']);
    const own = new Texts();
    const joins = { bootstrap: 'existing', join: [a] } as const;
    const second = await open({
      ...{ stateMachine: own, name: 'b', listen: b, dir: place.dir('b'), ...times, ...joins },
    });
    const isVoter = async () => (await first.members.list()).every(({ role }) => role === 'voter');
    while (!(await isVoter()));
    expect(first.status().peers).toMatchObject([{ name: 'b', memberId: id }]);
    await first.transferLeadership('b');
    await second.members.remove('a');
    expect(await second.propose(bytes('y'))).toBe(2);
    expect(own.texts).toEqual(['x', 'y']);
    expect(second.status()).toMatchObject({ leader: 'b', members: ['b'] });
    await expect(second.members.remove('a')).rejects.toMatchObject({ code: 'MEMBER_UNKNOWN' });
  });
});

describe('one member', () => {
  test('in memory: answers go back to who asked, the state is there at once', async () => {
    const stateMachine = new Texts();
    const node = await open({ stateMachine });
    const answers = await Promise.all(
      [bytes('a'), bytes(''), bytes('c')].map((b) => node.propose(b)),
    );
    expect(answers).toEqual([1, 2, 3]);
    await node.readIndex();
    expect(stateMachine.texts).toEqual(['a', '', 'c']);
    expect(node.status()).toMatchObject({
      ...{ name: 'main', role: 'leader', leader: 'main', members: ['main'], peers: [] },
      ...{ pendingWrites: 0, pendingReads: 0, failure: undefined, lifecycle: 'open' },
    });
    expect(node.metrics().proposals).toBe(3);
    await node.close();
    expect(stateMachine.isClosed).toBe(true);
    await expect(node.propose(bytes('d'))).rejects.toMatchObject({ code: 'CLOSED' });
  });

  test('in a directory, its own files beside: goes on where it was, and the directory is free again', async () => {
    const dir = place.dir('data');
    for (let life = 1; life <= 3; life += 1) {
      const stateMachine = new Texts(join(dir, 'machine', 'texts'));
      const node = await open({ stateMachine, dir });
      expect(await node.propose(bytes(`life ${life}`))).toBe(life);
      expect(stateMachine.texts[0]).toBe('life 1');
      const { fsyncMs, logEntries } = node.metrics();
      expect(fsyncMs.count).toBeGreaterThan(0);
      expect(logEntries).toBeGreaterThan(0);
      await node.close();
    }
  });

  test('state that is lost: made again from the log; a log that is lost: refused', async () => {
    const dir = place.dir('data');
    const path = place.dir('elsewhere/texts');
    const first = await open({ stateMachine: new Texts(path), dir });
    await first.propose(bytes('a'));
    await first.close();
    const stateMachine = new Texts(place.dir('other/texts'));
    const second = await open({ stateMachine, dir });
    await second.readIndex();
    expect(stateMachine.texts).toEqual(['a']);
    await second.close();
    const lost = open({ stateMachine: new Texts(path), dir: place.dir('empty') });
    await expect(lost).rejects.toMatchObject({ code: 'WAL_CORRUPT' });
  });

  test('a directory of a store -> not taken for its own', async () => {
    const dir = place.dir('data');
    const store = await openStore({ dir, ...ticks });
    await store.put('a', 'b');
    await store.close();
    const stateMachine = new Texts();
    const failed = new Promise((resolve) => {
      void open({ stateMachine, dir }).then((node) => {
        node.on('failed', ({ error }) => resolve(error));
        const { failure } = node.status();
        if (failure !== undefined) resolve(failure);
      });
    });
    expect(await failed).toMatchObject({ code: 'FORMAT_UNSUPPORTED' });
    expect(stateMachine.texts).toEqual([]);
  });

  test('wrong options and arguments -> refused before anything is done', async () => {
    const stateMachine = new Texts();
    const refused = { code: 'OPTIONS_INVALID' };
    await expect(openNode(undefined as never)).rejects.toMatchObject(refused);
    await expect(openNode({ stateMachine: {} as never })).rejects.toMatchObject(refused);
    await expect(openNode({ stateMachine, dri: 'x' } as never)).rejects.toMatchObject(refused);
    await expect(openNode({ stateMachine, logger: {} as never })).rejects.toMatchObject(refused);
    const node = await open({ stateMachine });
    const outcome = 'rejected';
    const large = node.propose(new Uint8Array(2 ** 21));
    await expect(large).rejects.toMatchObject({ code: 'REQUEST_TOO_LARGE', outcome });
    const wrong = node.propose('text' as never);
    await expect(wrong).rejects.toMatchObject({ code: 'ARGUMENT_INVALID', outcome });
    const typo: object = { timeout: 5 };
    const invalid = { code: 'ARGUMENT_INVALID', outcome };
    await expect(node.propose(bytes('a'), typo)).rejects.toMatchObject(invalid);
    await expect(node.propose(bytes('a'), { timeoutMs: 0 })).rejects.toMatchObject(invalid);
    await expect(node.readIndex(typo)).rejects.toMatchObject(invalid);
    expect(stateMachine.texts).toEqual([]);
    const aborted = AbortSignal.abort(new Error('no'));
    await expect(node.readIndex({ signal: aborted })).rejects.toThrow('no');
    await expect(node.propose(bytes('a'), { signal: aborted })).rejects.toThrow('no');
  });

  test('a machine that does not open, or fails to apply -> its error; nothing stays behind', async () => {
    const dir = place.dir('data');
    const stateMachine = new Texts();
    stateMachine.open = async () => {
      throw new Error('no table');
    };
    await expect(open({ stateMachine, dir })).rejects.toThrow('no table');
    expect(stateMachine.isClosed).toBe(true);
    const broken = new Texts();
    const node = await open({ stateMachine: broken, dir });
    const failed = new Promise((resolve) => node.on('failed', ({ error }) => resolve(error)));
    broken.apply = async () => {
      throw new Error('out of order');
    };
    await expect(node.propose(bytes('a'))).rejects.toMatchObject({ outcome: 'unknown' });
    expect(await failed).toBe(node.status().failure);
    await expect(node.readIndex()).rejects.toMatchObject({ cause: { message: 'out of order' } });
  });
});

describe('a machine that does not close', () => {
  test.each<[string, () => Promise<void>]>([
    [
      'throws at once',
      () => {
        throw new Error('no flush');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no flush'))],
  ])('%s -> close tells it each time, the directory is free again', async (_, failing) => {
    const dir = place.dir('data');
    const stateMachine = new Texts();
    stateMachine.close = failing;
    const node = await openNode({ ...ticks, stateMachine, dir });
    await expect(node.close()).rejects.toThrow('no flush');
    await expect(node.close()).rejects.toThrow('no flush');
    expect(node.status().lifecycle).toBe('closed');
    const next = await open({ stateMachine: new Texts(), dir });
    expect(await next.propose(bytes('a'))).toBe(1);
  });

  test('answers no promise, as in JavaScript -> closed', async () => {
    const dir = place.dir('data');
    const stateMachine = new Texts();
    stateMachine.close = (() => undefined) as never;
    const node = await open({ stateMachine, dir });
    await node.close();
    await open({ stateMachine: new Texts(), dir });
  });

  test('nor opens -> the error of open; directory and port are free again', async () => {
    const cluster = await place.cluster('a');
    const options = { name: 'a', cluster, dir: place.dir('a') };
    const stateMachine = new Texts();
    stateMachine.open = () => {
      throw new Error('cannot open db');
    };
    stateMachine.close = () => {
      throw new Error('no flush');
    };
    await expect(open({ ...options, stateMachine })).rejects.toThrow('cannot open db');
    await open({ ...options, stateMachine: new Texts() });
  });
});

describe('three members', () => {
  const start = async () => {
    const cluster = await place.cluster('a', 'b', 'c');
    const machines = [new Texts(), new Texts(), new Texts()];
    const opened = Object.keys(cluster).map((name, at) =>
      open({ name, cluster, dir: place.dir(name), stateMachine: machines[at] as Texts }),
    );
    const members = await Promise.all(opened);
    await place.met(...Object.keys(cluster));
    return { machines, members };
  };

  test('proposals through any: one order everywhere, status and events by name, one leadership', async () => {
    const { machines, members } = await start();
    const done = Array.from({ length: 60 }, (_, at) =>
      (members[at % 3] as MachineNode<number>).propose(bytes(`c${at}`)),
    );
    const answers = await Promise.all(done);
    expect([...answers].sort((x, y) => x - y)).toEqual(done.map((_, at) => at + 1));
    await Promise.all(members.map((node) => node.readIndex()));
    for (const { texts } of machines) expect(texts).toEqual(machines[0]?.texts);
    const led = await Promise.race(
      members.map(async (node) => {
        const { value } = await node.leadership().next();
        return { node, value };
      }),
    );
    const { name, term, role, peers } = led.node.status();
    expect(led.value).toMatchObject({ term, lost: { aborted: false } });
    expect(role).toBe('leader');
    expect(peers.map((peer) => peer.name).sort()).toEqual(
      ['a', 'b', 'c'].filter((n) => n !== name),
    );
    const other = members.find((node) => node !== led.node) as MachineNode<number>;
    expect(other.status()).toMatchObject({ leader: name, peers: [] });
    const next = new Promise((resolve) => {
      other.on(
        'leader',
        ({ leader }) => leader !== undefined && leader !== name && resolve(leader),
      );
    });
    await led.node.close();
    expect(led.value?.lost.aborted).toBe(true);
    expect(['a', 'b', 'c']).toContain(await next);
  });
});

test('the diagnostics channels of Node: begin and end of what a store and a node do', async () => {
  const seen = new Set<string>();
  const names = ['propose', 'read', 'fsync', 'apply'].flatMap((what) =>
    ['start', 'asyncEnd'].map((when) => `tracing:kontiki:${what}:${when}`),
  );
  const note = (message: unknown, name: string | symbol) => {
    expect(message).toMatchObject({ memberId: expect.any(Number) });
    seen.add(String(name));
  };
  for (const name of names) channel(name).subscribe(note);
  const store = await place.open({ dir: place.dir('store') });
  await store.put('a', '1');
  await store.get('a');
  for (const name of names) channel(name).unsubscribe(note);
  expect([...seen].sort()).toEqual([...names].sort());
  seen.clear();
  await store.put('a', '2');
  expect(seen.size).toBe(0);
});
