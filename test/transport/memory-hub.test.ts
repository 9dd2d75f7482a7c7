import { afterEach, describe, expect, test } from 'vitest';
import type { MemoryHubOptions } from '../../src/transport/memory-hub.js';
import { ManualTimers } from './manual-timers.js';
import { heartbeat, identityOf, Recorder } from './recorder.js';
import { MemoryWorld } from './worlds.js';

describe('memory hub', () => {
  let world: MemoryWorld;
  afterEach(() => world.end());

  async function startedPair(options: Partial<MemoryHubOptions> = {}) {
    world = new MemoryWorld(options);
    const [one, two] = [await world.make(1), await world.make(2)];
    const [ofOne, ofTwo] = [new Recorder(), new Recorder()];
    one.start(identityOf(1), ofOne);
    two.start(identityOf(2), ofTwo);
    await Promise.all([ofOne.untilUp(2), ofTwo.untilUp(1)]);
    return { hub: world.hub, one, ofOne, ofTwo };
  }

  test('cut -> both links fall, what is under way is lost; connected -> both rise', async () => {
    const { hub, one, ofOne, ofTwo } = await startedPair();
    one.send(heartbeat(1, 2, 1));
    one.flush();
    one.send(heartbeat(1, 2, 2));
    hub.disconnect(2, 1);
    one.send(heartbeat(1, 2, 3));
    one.flush();
    await Promise.all([ofOne.untilDown(2), ofTwo.untilDown(1)]);
    hub.connect(1, 2);
    await Promise.all([ofOne.untilUp(2), ofTwo.untilUp(1)]);
    one.send(heartbeat(1, 2, 4));
    one.flush();
    await ofTwo.untilReceived(1);
    expect(ofTwo.messages).toEqual([heartbeat(1, 2, 4)]);
  });

  test('a new link rises before the old one delivered -> what was under way is lost', async () => {
    const timers = new ManualTimers();
    const { hub, one, ofOne, ofTwo } = await startedPair({ timers, retryMs: 5 });
    timers.holdSoon = true;
    one.send(heartbeat(1, 2, 1));
    one.flush();
    hub.disconnect(1, 2);
    hub.connect(1, 2);
    timers.fire(5);
    await new Promise((resolve) => setImmediate(resolve));
    one.send(heartbeat(1, 2, 2));
    one.flush();
    timers.runHeld();
    expect(ofTwo.messages).toEqual([heartbeat(1, 2, 2)]);
    expect(ofOne.links).toEqual(['2 up', '2 down', '2 up']);
  });

  test('queue full -> later messages dropped, earlier ones delivered, then it goes on', async () => {
    const { one, ofTwo } = await startedPair();
    const large = (id: number) => ({
      ...{ kind: 'forward-request' as const, from: 1, to: 2, term: 1, id },
      commands: [new Uint8Array(1 << 20)],
    });
    for (let id = 0; id < 10; id += 1) one.send(large(id));
    one.flush();
    await ofTwo.untilReceived(3);
    one.send(heartbeat(1, 2, 5));
    one.flush();
    await ofTwo.untilReceived(4);
    expect(ofTwo.messages.map((message) => ('id' in message ? message.id : message.kind))).toEqual([
      ...[0, 1, 2, 'heartbeat-request'],
    ]);
  });

  test('a message under a false name -> not delivered', async () => {
    const { one, ofOne, ofTwo } = await startedPair();
    one.send({ ...heartbeat(3, 2, 1) });
    one.flush();
    await ofOne.untilDown(2);
    expect(ofTwo.messages).toEqual([]);
  });
});
