// A single client whose cluster the test plays: what a check makes of answers that it cannot decide.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { kontikiError } from '../../../src/base/errors.js';
import { modelOf } from '../../../src/testing/checkers/model.js';
import { type Observed, WholeAnswer } from '../../../src/testing/checkers/observed.js';
import type { SimCluster, SimService } from '../../../src/testing/cluster/sim-cluster.js';
import { CommandHistory } from '../../../src/testing/fast-check/command-history.js';
import { describedModel } from '../../../src/testing/machine/machine-spec.js';

/** A text to which calls append: no two of them commute. */
const model = describedModel<string, string, string>({
  initial: () => '',
  execute: (state, input) =>
    input === 'read' ? { state, answer: state } : { state: state + input, answer: '' },
});

const cluster = {
  running: ['n1'],
  service: () => ({}),
  sim: { complete: <T>(promise: Promise<T>) => promise, scheduler: { nowUs: 0 } },
} as unknown as SimCluster<SimService>;

/** As many appends of which nobody knows whether they took effect. */
async function unanswered(count: number) {
  const history = new CommandHistory<string, Observed<string>>(modelOf(model));
  const timedOut = async () => {
    throw kontikiError('TIMEOUT', 'nobody answered', { outcome: 'unknown' });
  };
  for (let at = 0; at < count; at += 1) {
    await history.call(cluster, 0, { input: String.fromCharCode(97 + at), run: timedOut });
  }
  const read = (text: string) => {
    const run = async () => new WholeAnswer(text) as unknown as Observed<string>;
    return history.call(cluster, 0, { input: 'read', run });
  };
  return read;
}

test('a wrong answer behind few writes of unknown outcome -> X1', async () => {
  const read = await unanswered(6);
  await expect(read('nobody wrote this')).rejects.toMatchObject({ id: 'X1' });
});

test('a right answer behind few writes of unknown outcome -> explained', async () => {
  const read = await unanswered(6);
  expect(await read('fad')).toBeInstanceOf(WholeAnswer);
});

test('an answer with too many orders to look at -> the run is skipped, neither right nor wrong', async () => {
  const property = fc.asyncProperty(fc.constant('nobody wrote this'), async (text) => {
    const read = await unanswered(10);
    await read(text);
  });
  const found = await fc.check(property, { numRuns: 1, maxSkipsPerRun: 1 });
  expect(found).toMatchObject({ numRuns: 0, numSkips: 2, counterexample: null });
});
