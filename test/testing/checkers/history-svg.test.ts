// Goal: the drawing is one well-formed document whatever the texts hold, and it shows the order that
// was found and the operation that fits nowhere.
import { describe, expect, test } from 'vitest';
import { Prng, randomInt } from '../../../src/base/prng.js';
import { eventsInOrder } from '../../../src/testing/checkers/events.js';
import { layOut, pointsOf } from '../../../src/testing/checkers/history-layout.js';
import { historySvg } from '../../../src/testing/checkers/history-svg.js';
import { checkLinearizable } from '../../../src/testing/checkers/linearizability.js';
import type { Operation } from '../../../src/testing/checkers/operation.js';
import { type RegisterInput, registerModel } from '../../../src/testing/checkers/register.js';
import { xmlText } from '../../../src/testing/checkers/xml-text.js';

type RegisterOperation = Operation<RegisterInput, { value?: string | null }>;

/** Throws unless tags are closed in order and no `<` or bare `&` is left between them. */
function tagsOf(svg: string): string[] {
  const open: string[] = [];
  const tags: string[] = [];
  const rest = svg.replace(
    /<(\/?)([a-z]+)((?: [a-zA-Z0-9:]+="[^"<>]*")*)(\/?)>/g,
    (_, end, name, __, self) => {
      if (end === '/') expect(open.pop()).toBe(name);
      else if (self === '') open.push(name);
      if (end === '') tags.push(name);
      return '';
    },
  );
  expect(open).toEqual([]);
  expect(rest).not.toMatch(/[<>]|&(?!(amp|lt|gt|quot|apos);)/);
  return tags;
}

function write(client: string, value: string, callAt: number, returnAt = callAt + 1) {
  return { client, input: { op: 'write', value } as const, callAt, returnAt };
}

function read(client: string, value: string | null, callAt: number): RegisterOperation {
  return { client, input: { op: 'read' }, output: { value }, callAt, returnAt: callAt + 1 };
}

const draw = (history: readonly RegisterOperation[]) =>
  historySvg(checkLinearizable(registerModel(), history));

describe('drawing', () => {
  test('a failure -> the order by number, the blocked operation, and what never came', () => {
    const history = [
      write('c1', 'x', 0),
      read('c2', 'x', 2),
      read('c2', 'y', 4),
      write('c3', 'z', 6),
      write('c3', 'w', 8, Infinity),
    ];
    const svg = draw(history);
    const tags = tagsOf(svg);
    expect(tags.filter((tag) => tag === 'circle')).toHaveLength(2);
    expect(svg.match(/<g class="blocked"><title>/g)).toHaveLength(1);
    expect(svg).toContain(
      '<title>c2: read y\ncalled at 4, answered at 5\ncannot be placed</title>',
    );
    expect(svg).toContain('number 1, then x</title>');
    expect(svg.match(/<g class="unplaced"><title>/g)).toHaveLength(1);
    expect(svg.match(/<g class="unplaced open"><title>/g)).toHaveLength(1);
    expect(svg).toContain('not linearizable');
    expect(svg).toContain('after 2 in order nothing explains read y of c2');
  });

  test('nothing from outside is loaded', () => {
    const svg = draw([write('c1', 'x', 0)]).replace('http://www.w3.org/2000/svg', '');
    expect(svg).not.toMatch(/https?:|href|url\(|@import|<script|<image/);
  });

  test('texts with markup, controls and broken surrogates -> escaped', () => {
    const value = `<script>&"'\0\n\ud800\uffff]]>`;
    const svg = draw([write('<b>&', value, 0), read('c', 'other', 2)]);
    tagsOf(svg);
    expect(svg).toContain('&lt;script&gt;&amp;&quot;&apos;\\u0000\\u000a\\ud800\\uffff]]&gt;');
    // Nothing that XML forbids, and no lone half of a pair.
    const codes = [...svg].map((point) => point.codePointAt(0)!);
    const isForbidden = (code: number) => (code < 0x20 && code !== 0xa) || code === 0xffff;
    expect(codes.filter((code) => isForbidden(code) || (code >= 0xd800 && code < 0xe000))).toEqual(
      [],
    );
    expect(xmlText('a😀b')).toBe('a😀b');
  });

  test('a large history -> the operations around the failure', () => {
    const many = Array.from({ length: 300 }, (_, at) => write(`c${at % 4}`, `v${at}`, 2 * at));
    const history = [...many.slice(0, 200), read('r', 'never', 400.5), ...many.slice(201)];
    const svg = draw(history);
    tagsOf(svg);
    expect(svg).toContain('300 operations, 60 of them drawn');
    expect(svg).toContain('read never');
    expect(svg).toContain('>200</text>');
    expect(svg).not.toContain('v10</text>');
  });

  test('an order that explains all, an empty history -> drawn as well', () => {
    expect(draw([write('c1', 'x', 0), read('c2', 'x', 2)])).toContain('2 in order');
    expect(tagsOf(draw([]))).toContain('svg');
  });
});

describe('layout', () => {
  test('random histories -> bars overlap where operations do, and never within a lane', () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const random = new Prng(seed);
      const history = Array.from({ length: 1 + randomInt(random, 20) }, () => {
        const callAt = randomInt(random, 30);
        const returnAt = randomInt(random, 6) === 0 ? Infinity : callAt + randomInt(random, 8);
        return write(`c${randomInt(random, 3)}`, 'x', callAt, returnAt);
      });
      const widths = history.map(() => randomInt(random, 200));
      const { bars, width, height } = layOut(history, widths);
      for (const [at, one] of bars.entries()) {
        expect(one.to - one.from, `seed ${seed}`).toBeGreaterThanOrEqual(widths[at]!);
        expect(one.to).toBeLessThanOrEqual(width);
        expect(one.y).toBeLessThan(height);
        for (const [other, two] of bars.entries()) {
          const isBefore = history[at]!.returnAt < history[other]!.callAt;
          if (isBefore) expect(one.to, `seed ${seed}`).toBeLessThan(two.from);
          else expect(one.to, `seed ${seed}`).toBeGreaterThan(two.from);
          if (at < other && one.y === two.y) {
            expect(
              one.to < two.from || two.to < one.from || touches(history[at]!, history[other]!),
            ).toBe(true);
          }
        }
      }
      checkPoints(history, widths);
    }
  });

  /** Whether one ends as the other begins: calls come first then, so their bars cross a little. */
  function touches(a: RegisterOperation, b: RegisterOperation): boolean {
    return a.returnAt === b.callAt || b.returnAt === a.callAt;
  }

  /** In the order of their answers everything has its point, on its bar, from left to right. */
  function checkPoints(history: readonly RegisterOperation[], widths: readonly number[]): void {
    const order = [...eventsInOrder(history)].filter((event) => event >= history.length);
    const { bars } = layOut(history, widths);
    const line = order.map((event) => bars[event - history.length]!);
    let last = 0;
    for (const [at, x] of pointsOf(line).entries()) {
      expect(x).toBeGreaterThanOrEqual(last);
      expect(x).toBeGreaterThanOrEqual(line[at]!.from);
      expect(x).toBeLessThanOrEqual(line[at]!.to);
      last = x;
    }
  }
});
