/**
 * What the simulation must know of the table: how a member makes one, what clients ask, and what the
 * right answers are. The model is written for nobody but one reader: no bytes, no snapshots, a fresh
 * state for each command, so that there is little in it that could be wrong.
 */
import type { PlainMachineSpec } from '../../src/testing/index.js';
import { randomInt } from '../../src/testing/index.js';
import { type SeatAnswer, type SeatCommand, Seats } from './seats.js';

/** For each seat its guests in order, the first of whom has it. */
type Lines = Readonly<Record<number, readonly string[]>>;

const guests = ['ada', 'bob', 'cleo', 'dan'] as const;

export const machine: PlainMachineSpec<Lines, SeatCommand, SeatAnswer> = {
  create: () => new Seats(),
  draw: (random, keys) => ({
    op: randomInt(random, 2) === 0 ? 'reserve' : 'cancel',
    seat: randomInt(random, keys),
    guest: guests[randomInt(random, guests.length)] as string,
  }),
  model: {
    initial: () => ({}),
    execute(lines, { op, seat, guest }) {
      const others = (lines[seat] ?? []).filter((each) => each !== guest);
      const isThere = others.length < (lines[seat]?.length ?? 0);
      const line = op === 'cancel' ? others : isThere ? lines[seat]! : [...others, guest];
      const [holder = null, ...waiting] = line;
      return { state: { ...lines, [seat]: line }, answer: { holder, waiting: waiting.length } };
    },
    describe: ({ op, seat, guest }, answer) =>
      `${op} ${seat} for ${guest} -> ${JSON.stringify(answer)}`,
  },
};
