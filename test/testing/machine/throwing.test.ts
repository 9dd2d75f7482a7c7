// Parts of a machine that throw, or answer later: the run ends with a violation, and the process goes on.
import { describe, expect, test } from 'vitest';
import { type PlainMachine, type PlainMachineSpec, simulate } from '../../../src/testing/index.js';

function machineWith(
  parts: Partial<PlainMachineSpec<number, number, number>>,
  apply: PlainMachine['apply'] = () => 0,
): PlainMachineSpec<number, number, number> {
  return {
    create: () => ({ apply, snapshot: () => new Uint8Array(), restore: () => undefined }),
    draw: () => 1,
    model: { initial: () => 0, execute: (state) => ({ state, answer: 0 }) },
    ...parts,
  };
}

const violationOf = async (machine: PlainMachineSpec<number, number, number>) =>
  (await simulate({ seed: 3, duration: '2s', machine })).violation;

describe('draw', () => {
  const failing = () => {
    throw new Error('my draw has a bug');
  };

  test('throws at once -> UNCAUGHT, which names it', async () => {
    const violation = await violationOf(machineWith({ draw: failing }));
    expect(violation?.id).toBe('UNCAUGHT');
    expect(violation?.message).toMatch(/draw of the machine.*my draw has a bug/s);
  });

  test('throws once the group is healed -> UNCAUGHT', async () => {
    // Two seconds of load ask for less.
    let draws = 0;
    const counted = await simulate({
      ...{ seed: 3, duration: '2s' },
      machine: machineWith({
        draw: () => {
          draws += 1;
          return 1;
        },
      }),
    });
    counted.assert();
    const last = draws;
    draws = 0;
    const draw = () => {
      draws += 1;
      return draws === last ? failing() : 1;
    };
    expect((await violationOf(machineWith({ draw })))?.id).toBe('UNCAUGHT');
  });
});

describe('apply', () => {
  test.each([
    ['rejects', () => Promise.reject(new Error('my apply has a bug'))],
    ['resolves', () => Promise.resolve(0)],
  ])('async, and %s -> the member stops, which is told', async (_, apply) => {
    const violation = await violationOf(machineWith({}, apply));
    expect(violation?.id).toBe('ASSERTION');
    expect(violation?.message).toContain('apply of the machine');
  });
});
