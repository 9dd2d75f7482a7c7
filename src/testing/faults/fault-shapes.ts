/** What the fields of each fault must be: a fault with others would do something else than it says. */

import {
  aBoolean,
  among,
  aNumber,
  anAmount,
  anInteger,
  type Expected,
  optional,
  type Shape,
  shaped,
} from '../shape.js';
import type { PathOptions } from '../sim-path.js';
import type { Fault, FaultKind } from './fault.js';

const memberName = /^[nm]\d+$/;
const roles = ['leader', 'follower', 'anybody'];

/** One that is gone, or comes later, is a target, too: shrinking drops members. @since 0.1.0 */
export const aTarget: Expected = {
  text: `${roles.join(', ')}, or the name of a member as n1 or m1`,
  isMet: (value) => typeof value === 'string' && (roles.includes(value) || memberName.test(value)),
};

const twoNames: Expected = {
  text: 'two names of members as n1 or m1',
  isMet: (value) =>
    Array.isArray(value) && value.length === 2 && value.every((name) => memberName.test(name)),
};

const path: Shape<PathOptions> = {
  delayMinUs: anAmount,
  delayMeanUs: anAmount,
  dropRate: anAmount,
  duplicateRate: anAmount,
  forwardRepeatRate: anAmount,
  answerDropRate: anAmount,
  damageRate: anAmount,
  reorder: aBoolean,
};

/** What a path is, without what stays as usual. @since 0.1.0 */
export const aPath: Expected = shaped(
  Object.fromEntries(Object.entries(path).map(([name, each]) => [name, optional(each)])),
);

const how = among('power', 'process');
const target = aTarget;
const forMs = anAmount;
const downMs = anAmount;

type Fields<K extends FaultKind> = Shape<Omit<Extract<Fault, { readonly kind: K }>, 'kind'>>;

/** By kind, without the kind. @since 0.1.0 */
export const faultShapes: { readonly [K in FaultKind]: Fields<K> } = {
  'broken-links': { target, times: anInteger(0) },
  clock: { target, driftPpm: aNumber, stepMs: aNumber, forMs },
  'cold-state': { byMs: anAmount, forMs },
  crash: { target, how, downMs },
  'crash-at': {
    ...{ target, how, downMs },
    from: optional(among('install', 'start', 'trim', 'vote', 'write')),
    effects: anInteger(1),
    when: among('before', 'after'),
  },
  'crash-installing': { how, effects: anInteger(1), when: among('before', 'after'), downMs },
  'cut-link': { between: twoNames, forMs },
  'damaged-frames': { target, oneOf: anInteger(1), forMs },
  deposed: { forMs, slowByMs: anAmount, slowForMs: anAmount },
  'disk-full': { target, leftBytes: anAmount, forMs },
  'failed-flush': {
    target,
    code: optional(among('STORAGE_IO', 'NO_SPACE')),
    kept: aBoolean,
  },
  'failed-sync': {
    target,
    data: among('lost', 'kept'),
    reports: optional(among('STORAGE_IO', 'NO_SPACE')),
  },
  'flipped-bit': { target, where: optional(among('anywhere', 'log-end')), downMs },
  'left-behind': {
    forMs,
    slowByMs: optional(anAmount),
    direction: optional(among('both', 'in')),
    againMs: optional(anAmount),
  },
  'lost-answers': { rate: anAmount, forMs },
  'lost-batch': { target, back: anInteger(0), downMs },
  partition: { target, direction: among('both', 'in', 'out'), forMs },
  pause: { target, forMs },
  'power-cut': { downMs, staggerMs: anAmount },
  'repeated-forwards': { rate: anAmount, forMs },
  'rolled-back': { target, afterMs: anAmount, unheard: optional(anInteger(0)) },
  'slow-disk': {
    ...{ target, forMs },
    holds: optional(among('flushes', 'log', 'state')),
    byMs: anAmount,
    losesPower: optional(aBoolean),
  },
  'slow-link': {
    ...{ target, forMs },
    direction: among('from', 'to'),
    other: anInteger(0),
    delayMs: anAmount,
  },
  'stalled-disk': { target, holds: optional(among('log', 'state')), forMs },
  weather: { path: aPath, forMs },
};
