/** What the fields of each change of the membership must be. */
import { aTarget as target } from '../faults/fault-shapes.js';
import { aBoolean, among, anAmount, type Shape } from '../shape.js';
import type { Change, ChangeKind } from './change.js';

type Fields<K extends ChangeKind> = Shape<Omit<Extract<Change, { readonly kind: K }>, 'kind'>>;

/** By kind, without the kind. @since 0.1.0 */
export const changeShapes: { readonly [K in ChangeKind]: Fields<K> } = {
  'leader-moved': { target },
  'member-added': {
    as: among('promoted', 'learner', 'voter'),
    byOne: aBoolean,
    crashMs: anAmount,
  },
  'member-moved': { target },
  'member-removed': { target, evenOfTwo: aBoolean },
  'member-replaced': { target },
  'member-wiped': { target, denyingMs: anAmount },
};
