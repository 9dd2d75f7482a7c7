// Goal: a stopped single member can be backed up whatever its timings are: with lease reads it elects itself
// only when its own pledge is over, which may take longer than a call waits by default.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Place } from '../preset/place.js';
import { run } from './cli.js';

let place: Place;

beforeEach(async () => {
  place = await Place.make();
});

afterEach(() => place.close());

test('save of a single member with long read leases -> waits for its pledge', {
  timeout: 60_000,
}, async () => {
  const dir = place.dir('member');
  const store = await place.open({ dir, tickMs: 500, electionTicks: 24 });
  await store.put('a', '1');
  await store.setLeaseReads(true);
  await store.close();
  const saved = await run('snapshot', 'save', place.dir('store.backup'), '--dir', dir);
  expect(saved).toMatchObject({ code: 0, errors: '' });
});
