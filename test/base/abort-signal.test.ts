import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { isAbortSignal } from '../../src/base/abort-signal.js';

const methods = { throwIfAborted() {}, addEventListener() {}, removeEventListener() {} };

describe('abort signal', () => {
  test('one of this realm -> yes', () => {
    expect(isAbortSignal(new AbortController().signal)).toBe(true);
    expect(isAbortSignal(AbortSignal.abort())).toBe(true);
  });

  test('what has its methods, of another class or another realm -> yes', () => {
    expect(isAbortSignal(methods)).toBe(true);
    expect(isAbortSignal(runInNewContext('({ ...methods })', { methods }))).toBe(true);
  });

  test.each(Object.keys(methods))('without %s -> no', (name) => {
    expect(isAbortSignal({ ...methods, [name]: undefined })).toBe(false);
  });

  test.each([undefined, null, true, 'abort', {}, new AbortController(), new EventTarget()])(
    '%o -> no',
    (value) => {
      expect(isAbortSignal(value)).toBe(false);
    },
  );
});
