/**
 * What must hold of all that a watch delivered (reliability §4, W1 to W10), against a model that keeps
 * everything.
 */
import { expect } from 'vitest';
import type { KeyEvent, RevisionEvents, WatchFilter } from '../../src/mvcc/index.js';
import { expectSame } from './expect-same.js';
import type { ReferenceModel } from './reference-model.js';
import type { Consumer, ConsumerOptions } from './watch-consumer.js';

type Request = Pick<ConsumerOptions, keyof WatchFilter>;

/** What a consumer is to get from its start on: W7. */
export function expectedOf(
  model: ReferenceModel,
  { watcher }: Consumer,
  filter: Request,
): RevisionEvents[] {
  const all = model.events(watcher.startRevision, watcher.keys);
  return all.flatMap(({ revision, events }) => {
    const own = events.filter(({ type }) => !(type === 'put' ? filter.noPut : filter.noDelete));
    return own.length === 0 ? [] : [{ revision, events: own }];
  });
}

/** Pieces joined to revisions; W3: no piece unless asked, and each revision in pieces has an end. */
export function joined({ revisions: pieces, isOver }: Consumer, filter: Request): RevisionEvents[] {
  const revisions: { revision: number; events: KeyEvent[] }[] = [];
  let open: number | undefined;
  for (const { revision, events, isPart } of pieces) {
    if (isPart) {
      expect(filter.fragment).toBe(true);
      expect(events.length).toBeGreaterThan(0);
    }
    if (open === revision) revisions.at(-1)!.events.push(...events);
    else {
      expect(open).toBeUndefined();
      expect(events.length).toBeGreaterThan(0);
      revisions.push({ revision, events: [...events] });
    }
    open = isPart ? revision : undefined;
  }
  if (!isOver) expect(open).toBeUndefined();
  if (open !== undefined) revisions.pop();
  return revisions;
}

/** All of it, once the consumer has nothing left to pull. */
export function checkWatch(model: ReferenceModel, consumer: Consumer, filter: Request): void {
  const expected = expectedOf(model, consumer, filter);
  checkEvents(model, consumer, { filter, expected });
  checkBookmarks(consumer, expected);
  checkEnd(model, consumer, expected);
}

/** Without the versions before. */
export function bare({ revision, events }: RevisionEvents): RevisionEvents {
  return { revision, events: events.map(({ previous: _, ...event }) => event) };
}

/** W1, W2, W3, W4, W7, W8, W9: exactly the model's events, or a beginning of them if it is over. */
function checkEvents(
  model: ReferenceModel,
  consumer: Consumer,
  { filter, expected }: { filter: Request; expected: readonly RevisionEvents[] },
): void {
  const got = joined(consumer, filter);
  const due = consumer.isOver ? expected.slice(0, got.length) : expected;
  expectSame(got.map(bare), due.map(bare));
  got.forEach(({ events }, at) => {
    events.forEach((event, i) => {
      samePrevious(event, due[at]!.events[i]!, filter, model.compactRevision);
    });
  });
}

/** W8: the version before is the model's, or absent because it was compacted or not wanted. */
function samePrevious(got: KeyEvent, expected: KeyEvent, filter: Request, compacted: number) {
  if (got.previous !== undefined) expectSame(got.previous, expected.previous);
  else if (expected.previous !== undefined && filter.previous !== false) {
    expect(got.revision).toBeLessThanOrEqual(compacted);
  }
}

/** W6: a bookmark is at or above everything before it, and below everything after. */
function checkBookmarks({ got, watcher }: Consumer, all: readonly RevisionEvents[]): void {
  let delivered = 0;
  let last = 0;
  let bookmark = 0;
  for (const it of got) {
    if ('bookmark' in it) {
      expect(it.bookmark).toBeGreaterThanOrEqual(Math.max(last, bookmark));
      expect(it.bookmark).toBeGreaterThanOrEqual(watcher.startRevision - 1);
      bookmark = it.bookmark;
      const due = all.filter(({ revision }) => revision <= bookmark);
      expect(delivered).toBe(due.reduce((sum, { events }) => sum + events.length, 0));
    } else {
      expect(it.revision).toBeGreaterThan(bookmark);
      last = it.revision;
      delivered += it.events.length;
    }
  }
}

/** W10: a watch that history refused needed something that is gone, and got all before it. */
function checkEnd(
  model: ReferenceModel,
  { compacted, revisions }: Consumer,
  all: readonly RevisionEvents[],
): void {
  if (compacted === undefined) return;
  const { compactRevision, fromRevision } = compacted;
  expect(fromRevision).toBeLessThan(compactRevision);
  expect(compactRevision).toBeLessThanOrEqual(model.compactRevision);
  const before = (it: RevisionEvents) => it.revision < fromRevision;
  const due = all.filter(before).map(({ revision }) => revision);
  expect([...new Set(revisions.filter(before).map(({ revision }) => revision))]).toEqual(due);
  expect(revisions.at(-1)?.revision ?? 0).toBeLessThanOrEqual(fromRevision);
}
