/** A small bank as a state machine to be simulated, whole or with a defect. */
import { utf8Bytes, utf8Text } from '../../../src/base/bytes.js';
import { type PlainMachine, type PlainMachineSpec, randomInt } from '../../../src/testing/index.js';

export interface BankCommand {
  readonly account: string;
  /** What is put in; negative: what is taken out, refused if there is less. */
  readonly amount: number;
}

export interface BankAnswer {
  readonly done: boolean;
  readonly balance: number;
}

export class Bank implements PlainMachine {
  protected balances = new Map<string, number>();
  /** Commands so far, so that a repeated or forgotten one shows in every answer. */
  protected count = 0;

  apply(command: Uint8Array): BankAnswer & { readonly count: number } {
    const { account, amount } = JSON.parse(utf8Text(command)) as BankCommand;
    const before = this.balances.get(account) ?? 0;
    const done = before + amount >= 0;
    const balance = done ? before + amount : before;
    this.balances.set(account, balance);
    this.count += 1;
    return { done, balance, count: this.count };
  }

  snapshot(): Uint8Array {
    return utf8Bytes(JSON.stringify({ balances: [...this.balances], count: this.count }));
  }

  restore(snapshot: Uint8Array): void {
    const { balances, count } = JSON.parse(utf8Text(snapshot));
    this.balances = new Map(balances);
    this.count = count;
  }
}

interface BankState {
  readonly balances: Readonly<Record<string, number>>;
  readonly count: number;
}

/** Of a bank as `create` makes it. */
export function bankOf(create: () => PlainMachine) {
  const spec: PlainMachineSpec<BankState, BankCommand, ReturnType<Bank['apply']>> = {
    create,
    draw: (random, keys) => ({
      account: `a${randomInt(random, keys)}`,
      amount: randomInt(random, 20) - 8,
    }),
    model: {
      initial: () => ({ balances: {}, count: 0 }),
      execute({ balances, count }, { account, amount }) {
        const before = balances[account] ?? 0;
        const done = before + amount >= 0;
        const balance = done ? before + amount : before;
        const state = { balances: { ...balances, [account]: balance }, count: count + 1 };
        return { state, answer: { done, balance, count: count + 1 } };
      },
    },
  };
  return spec;
}
