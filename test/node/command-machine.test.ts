// Goal: a user's machine sees commands as they were proposed, and its answers find who proposed them.
import { describe, expect, test } from 'vitest';
import { utf8Bytes, utf8Text } from '../../src/base/bytes.js';
import { decodeCommand, encodeCommand } from '../../src/codec/command-codec.js';
import {
  type CommandEntry,
  type CommandMachine,
  NamedCommandMachine,
} from '../../src/node/command-machine.js';
import { nameCommand, namedCommandOf } from '../../src/node/named-command.js';
import type { StateSnapshot } from '../../src/node/state-machine.js';
import type { Entry } from '../../src/raft/types.js';

const id = { session: 2 ** 53 - 1, seq: 2 ** 33 + 5, doneBelow: 1 };

class Echo implements CommandMachine<string> {
  seen: CommandEntry[] = [];
  calls: string[] = [];
  durableIndex = 3;

  async open() {
    this.calls.push('open');
    return { appliedIndex: 3 };
  }

  async apply(entries: readonly CommandEntry[]) {
    this.seen.push(...entries);
    return entries.map(({ command }) => command && `did ${utf8Text(command)}`);
  }

  async flush() {
    this.calls.push('flush');
  }

  async close() {
    this.calls.push('close');
  }
}

const entry = (index: number, data: Uint8Array, type: Entry['type'] = 'normal'): Entry => {
  return { term: 2, index, type, data };
};

test('no answers where there was no command -> one result for each entry all the same', async () => {
  class Holes extends Echo {
    override async apply(entries: readonly CommandEntry[]) {
      const answers = new Array<string>(entries.length);
      entries.forEach(({ command }, at) => {
        if (command !== undefined) answers[at] = 'done';
      });
      return answers;
    }
  }
  const machine = new NamedCommandMachine(new Holes());
  const named = nameCommand(utf8Bytes('x'), id);
  const results = await machine.apply([entry(4, new Uint8Array(0)), entry(5, named)]);
  expect(results).toHaveLength(2);
  expect([...results]).not.toContain(undefined);
});

describe('names', () => {
  test.each([0, 1, 1_000])('a command of %i bytes -> the same behind its name', (length) => {
    const command = new Uint8Array(length).fill(9);
    const named = namedCommandOf(nameCommand(command, id));
    expect(named?.requestId).toEqual({ session: id.session, seq: id.seq });
    expect(named?.command).toEqual(command);
  });

  test('bytes that are no command -> none; of a newer format -> refused', () => {
    expect(namedCommandOf(new Uint8Array(3))).toBeUndefined();
    expect(namedCommandOf(nameCommand(utf8Bytes('x'), id).subarray(0, 16))).toBeUndefined();
    expect(namedCommandOf(new Uint8Array(40))).toBeUndefined();
    const newer = nameCommand(new Uint8Array(2), id);
    newer[0] = 130;
    expect(() => namedCommandOf(newer)).toThrow(
      expect.objectContaining({ code: 'FORMAT_UNSUPPORTED' }),
    );
  });

  test('a log of a store -> refused, and the other way round', () => {
    const long = encodeCommand({ ...id, command: { op: 'compact', revision: 1_000_000_000 } });
    const short = encodeCommand({
      ...{ session: 3, seq: 1, doneBelow: 1 },
      command: { op: 'compact', revision: 1 },
    });
    const refused = expect.objectContaining({ code: 'FORMAT_UNSUPPORTED' });
    expect(long.length).toBeGreaterThan(17);
    expect(short.length).toBeLessThan(17);
    expect(() => namedCommandOf(long)).toThrow(refused);
    expect(() => namedCommandOf(short)).toThrow(refused);
    expect(() => decodeCommand(nameCommand(utf8Bytes('x'), id))).toThrow(refused);
  });
});

describe('entries', () => {
  test('commands, and entries of the group -> all counted, only commands answered', async () => {
    const machine = new Echo();
    const results = await new NamedCommandMachine(machine).apply([
      entry(4, new Uint8Array(0)),
      entry(5, nameCommand(utf8Bytes('a'), id)),
      entry(6, nameCommand(utf8Bytes('b'), id), 'config-change-v2'),
      entry(7, new Uint8Array(30)),
      entry(8, nameCommand(new Uint8Array(0), id)),
    ]);
    const requestId = { session: id.session, seq: id.seq };
    const none = { value: undefined };
    expect(results).toEqual([
      none,
      { requestId, value: 'did a' },
      none,
      none,
      { requestId, value: 'did ' },
    ]);
    expect(machine.seen.map(({ index, command }) => [index, command?.length])).toEqual([
      [4, undefined],
      [5, 1],
      [6, undefined],
      [7, undefined],
      [8, 0],
    ]);
  });

  test('opened and closed twice -> once', async () => {
    const machine = new Echo();
    const named = new NamedCommandMachine(machine);
    expect(await named.open()).toEqual({ appliedIndex: 3 });
    await named.open();
    await named.flush();
    await named.close();
    await named.close();
    expect(machine.calls).toEqual(['open', 'flush', 'close']);
    expect(named.durableIndex).toBe(3);
  });

  test('close throws at once, twice closed -> rejects twice, called once', async () => {
    const machine = new Echo();
    machine.close = () => {
      machine.calls.push('close');
      throw new Error('no close');
    };
    const named = new NamedCommandMachine(machine);
    await expect(Promise.resolve().then(() => named.close())).rejects.toThrow('no close');
    await expect(Promise.resolve().then(() => named.close())).rejects.toThrow('no close');
    expect(machine.calls).toEqual(['close']);
  });

  test('snapshot without restore -> the driver sees neither', () => {
    const half = Object.assign(new Echo(), { snapshot: () => undefined as never });
    expect(new NamedCommandMachine(half).snapshot).toBeUndefined();
    const whole = Object.assign(half, { restore: async () => undefined });
    expect(new NamedCommandMachine(whole).restore).toBeDefined();
  });
});

describe('a contract that is broken', () => {
  const invalid = (message: string) =>
    expect.objectContaining({
      code: 'STATE_MACHINE_INVALID',
      message: expect.stringContaining(message),
    });

  test.each<[unknown, string]>([
    [undefined, 'got undefined'],
    [{}, 'got undefined'],
    [{ appliedIndex: -1 }, 'got -1'],
    [{ appliedIndex: '3' }, 'got 3'],
    [{ appliedIndex: 2 ** 53 }, `got ${2 ** 53}`],
    [{ appliedIndex: 2 }, 'durableIndex to be at most 2'],
  ])('open answers %j -> it does not open', async (answer, message) => {
    const machine = Object.assign(new Echo(), { open: async () => answer as never });
    await expect(new NamedCommandMachine(machine).open()).rejects.toEqual(invalid(message));
  });

  test.each<[unknown, string]>([
    [undefined, 'array of 2 of stateMachine, got undefined'],
    [[1], 'each of 2 entries of stateMachine, got 1'],
    [[1, 2, 3], 'got 3'],
  ])('apply answers %j -> it rejects', async (answer, message) => {
    const machine = Object.assign(new Echo(), { apply: async () => answer as never });
    const entries = [4, 5].map((index) => entry(index, nameCommand(utf8Bytes('x'), id)));
    const applied = new NamedCommandMachine(machine).apply(entries);
    await expect(applied).rejects.toEqual(invalid(message));
  });

  test.each([undefined, NaN, 4.5, 6, 2])(
    'a durable index of %j -> apply rejects, the log hears of the one before',
    async (index) => {
      const machine = new Echo();
      const named = new NamedCommandMachine(machine);
      await named.open();
      expect(named.durableIndex).toBe(3);
      machine.durableIndex = index as number;
      expect(named.durableIndex).toBe(3);
      const applied = named.apply([entry(4, new Uint8Array(0)), entry(5, new Uint8Array(0))]);
      await expect(applied).rejects.toEqual(invalid('durableIndex'));
      expect(named.durableIndex).toBe(3);
    },
  );

  test('a snapshot of another entry than the last, or none -> it throws', async () => {
    const made = { appliedIndex: 4, next: async () => undefined, close: async () => undefined };
    const snapshot = (): StateSnapshot => made;
    const machine = Object.assign(new Echo(), { snapshot, restore: async () => undefined });
    const named = new NamedCommandMachine(machine);
    await named.open();
    await named.apply([entry(4, new Uint8Array(0))]);
    expect(named.snapshot?.()).toBe(made);
    await named.apply([entry(5, new Uint8Array(0))]);
    expect(() => named.snapshot?.()).toThrow(invalid('snapshot to be of entry 5'));
    machine.snapshot = () => undefined as never;
    expect(() => named.snapshot?.()).toThrow(invalid('next and close'));
    // Nor one of before the state that was installed.
    machine.snapshot = () => made;
    await named.restore?.(9, (async function* () {})());
    expect(() => named.snapshot?.()).toThrow(invalid('snapshot to be of entry 9'));
  });
});
