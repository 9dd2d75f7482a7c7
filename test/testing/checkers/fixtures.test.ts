// Goal: the checker gives every history that others recorded, from etcd and from toy stores, the
// verdict that is known of it. The files are no part of this repository.
import { describe, expect, test } from 'vitest';
import { appendRegisterModel } from '../../../src/testing/checkers/append-register.js';
import type { LinearizabilityResult } from '../../../src/testing/checkers/linearizability.js';
import { checkLinearizable } from '../../../src/testing/checkers/linearizability.js';
import { registerModel } from '../../../src/testing/checkers/register.js';
import { historyFiles } from './history-files.js';
import { parseAppendLog, parseJepsenLog } from './history-parsers.js';

type Check = (text: string) => LinearizabilityResult<unknown, never, never>;

const checks: Readonly<Record<'jepsen' | 'kv', Check>> = {
  jepsen: (text) => checkLinearizable(registerModel(), parseJepsenLog(text)) as never,
  kv: (text) => checkLinearizable(appendRegisterModel(), parseAppendLog(text)) as never,
};

describe.each(['jepsen', 'kv'] as const)('histories: %s', (folder) => {
  const files = historyFiles(folder);

  test('there are files', (context) => {
    context.skip(
      files.length === 0,
      'needs ../shared/fixtures/linearizability or KONTIKI_HISTORY_FIXTURES',
    );
    expect(new Set(files.map(({ isLinearizable }) => isLinearizable)).size).toBe(2);
  });

  for (const { name, text, isLinearizable } of files) {
    test(`${name} -> ${isLinearizable ? 'ok' : 'illegal'}`, () => {
      expect(checks[folder](text).verdict).toBe(isLinearizable ? 'ok' : 'illegal');
    });
  }
});
