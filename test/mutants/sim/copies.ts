/** Defects of what tells a data directory from its old copies (ADR 0019). */
import type { Edit, SimDefect } from './sim-defect.js';

/** What the directory pledged gives most copies away as well. */
const pledgesOff: Edit = {
  file: 'node/known-peer.ts',
  find: '  if (!isBeyond(known, life)) return undefined;\n',
  replace: '  if (known.life > 0) return undefined;\n',
};

export const copies: readonly SimDefect[] = [
  {
    name: 'copies: an old copy is taken for the directory',
    source: 'reliability §3',
    file: 'node/known-peer.ts',
    find: '  if (isSameLife(known, life)) return undefined;\n',
    replace: '  if (known.life >= 0) return undefined;\n',
    profile: 'copies',
  },
  {
    name: 'copies: lives of one number are taken for one life',
    source: 'reliability §3, ADR 0019',
    file: 'node/known-peer.ts',
    find: 'return number === known.life && tokens[0] === known.token;',
    replace: 'return number === known.life && tokens.length > 0;',
    profile: 'copies',
    also: [pledgesOff],
  },
  {
    name: 'copies: only the token of the newest life is told',
    source: 'reliability §3, ADR 0019',
    file: 'assembly/data-directory.ts',
    find: '.slice(0, livesKept)',
    replace: '.slice(0, Math.min(livesKept, 1))',
    profile: 'copies',
    also: [pledgesOff],
  },
  {
    name: 'copies: a life is told of before it is written',
    source: 'reliability §3, ADR 0019',
    file: 'assembly/data-directory.ts',
    find: '        await this.#save({ ...record(), life: { number, tokens } });\n',
    replace:
      '        void this.#save({ ...record(), life: { number, tokens } }).catch(() => undefined);\n',
    profile: 'copies',
  },
];
