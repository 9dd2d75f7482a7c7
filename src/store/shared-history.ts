/**
 * A stretch of history read once for many watches: each selects its keys and kinds of events.
 */
import type { BinaryString } from '../base/bytes.js';
import type { History, HistoryRange, KeyEvent, RevisionEvents } from '../mvcc/index.js';
import { selects, singleKey } from '../mvcc/selection.js';

/**
 * Of all keys, with puts and deletes.
 *
 * @since 0.1.0
 */
export class SharedHistory {
  readonly #all: History;
  /** Revisions by the one key they changed, when somebody asks for one key. */
  #byKey: Map<BinaryString, RevisionEvents[]> | undefined;

  /** @param all - the answer to a query without keys and filters */
  constructor(all: History) {
    this.#all = all;
  }

  /** What the same query would have answered with these keys and filters. */
  select(range: HistoryRange): History {
    return { ...this.#all, revisions: this.#select(range) };
  }

  #select({ keys, noPut, noDelete }: HistoryRange): readonly RevisionEvents[] {
    const isPlain = noPut !== true && noDelete !== true;
    const wants = ({ type }: KeyEvent): boolean => {
      return type === 'put' ? noPut !== true : noDelete !== true;
    };
    const single = keys === undefined ? undefined : singleKey(keys);
    if (single !== undefined) {
      this.#byKey ??= this.#indexed();
      const own = this.#byKey.get(single) ?? [];
      return isPlain ? own : own.filter(({ events }) => wants(events[0] as KeyEvent));
    }
    const revisions: RevisionEvents[] = [];
    for (const each of this.#all.revisions) {
      const events = each.events.filter((event) => {
        return (keys === undefined || selects(keys, event.key)) && wants(event);
      });
      if (events.length > 0) revisions.push({ ...each, events });
    }
    return revisions;
  }

  /** A key changes at most once per revision, so each event is a revision of its key. */
  #indexed(): Map<BinaryString, RevisionEvents[]> {
    const byKey = new Map<BinaryString, RevisionEvents[]>();
    for (const each of this.#all.revisions) {
      for (const event of each.events) {
        const revision: RevisionEvents = { ...each, events: [event] };
        const own = byKey.get(event.key);
        if (own === undefined) byKey.set(event.key, [revision]);
        else own.push(revision);
      }
    }
    return byKey;
  }
}
