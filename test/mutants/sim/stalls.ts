/** Defects of a member that stands still, and of what it does about it. */
import type { SimDefect } from './sim-defect.js';

export const stalls: readonly SimDefect[] = [
  {
    name: 'stalls: a leader whose log stalls goes on to lead',
    source: 'V6, ADR 0021',
    file: 'node/stalls.ts',
    find: "    else if (this.#stalled.has('log')) this.#leave(durableIndex + 1, true);\n",
    replace: '',
    profile: 'focus-stalls',
  },
  {
    name: 'stalls: a write counts as done when it begins',
    source: 'V6, ADR 0021',
    file: 'node/persist-loop.ts',
    find: '    this.#begun += times;\n',
    replace: '    this.#begun += times;\n    this.#ended += 1;\n',
    profile: 'focus-stalls',
  },
];
