/**
 * Budgets P1 to P3 of the design beside what was measured.
 */
import type { LoadResult } from './closed-loop.js';
import type { Results, Subject, Title } from './results.js';

interface Bar {
  readonly name: string;
  readonly load: Title;
  readonly figure: keyof Pick<LoadResult, 'perSecond' | 'p50Ms' | 'p99Ms'>;
  /** What the figure is divided by; absent: it stands for itself. */
  readonly by?: { readonly subject: Subject; readonly load?: Title };
  /** At least for rates, at most for times. */
  readonly bar: number;
}

const go = { subject: 'etcd, Go client' } as const;
const npm = { subject: 'npm etcd3' } as const;
const idle = { subject: 'kontiki', load: 'put, 1' } as const;

const bars: readonly Bar[] = [
  {
    name: "P1 puts, 100 callers, to etcd's Go client",
    load: 'put, 100',
    by: go,
    figure: 'perSecond',
    bar: 2,
  },
  {
    name: 'P1 puts, 100 callers, to npm etcd3',
    load: 'put, 100',
    by: npm,
    figure: 'perSecond',
    bar: 5,
  },
  {
    name: "P2 puts, 1 caller, p50 to etcd's Go client",
    load: 'put, 1',
    by: go,
    figure: 'p50Ms',
    bar: 1,
  },
  {
    name: 'P2 the same, p99 beside 8 pbkdf2 to idle',
    load: 'put, 1, busy pool',
    by: idle,
    figure: 'p99Ms',
    bar: 3,
  },
  {
    name: "P3 linearizable gets, 100 callers, to etcd's Go client",
    load: 'get, 100',
    by: go,
    figure: 'perSecond',
    bar: 10,
  },
  {
    name: 'P3 serializable gets, k/s',
    load: 'serializable get, 100',
    figure: 'perSecond',
    bar: 500_000,
  },
];

/** Rows of name, figure, bar and whether it is met; `-` where there was nothing to compare with. */
export function barRows(results: Results): string[][] {
  return bars.map(({ name, load, figure, by, bar }) => {
    const own = results.get(load)?.get('kontiki')?.[figure] ?? Number.NaN;
    const other = by && (results.get(by.load ?? load)?.get(by.subject)?.[figure] ?? Number.NaN);
    const value = own / (other ?? 1);
    const isRate = figure === 'perSecond';
    const met = isRate ? value >= bar : value <= bar;
    const text = (number: number) => {
      return by === undefined ? (number / 1_000).toFixed(0) : `${number.toFixed(2)}x`;
    };
    const limit = `${isRate ? '>=' : '<='} ${text(bar)}`;
    if (Number.isNaN(value)) return [name, '-', limit, ''];
    return [name, text(value), limit, met ? 'met' : 'missed'];
  });
}
