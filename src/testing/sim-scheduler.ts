/**
 * Virtual time. Events run one by one in the order of their time, and between two of them every
 * promise that can settle does.
 *
 * Product code settles long chains of promises after one event. A run therefore goes once through
 * the event loop after each event (`Hop`): the engine drains its microtasks, however many there are,
 * before it calls the next macrotask, so when the hop returns nothing is left that could run at this
 * moment of virtual time. That holds because nothing here does real I/O. The hop is never skipped: a
 * callback of product code may have started an async function that we cannot see.
 */
import { assert } from '../base/assert.js';
import { systemTimers } from '../base/clock.js';
import { EventQueue, SimEvent } from './event-queue.js';
import { type TraceDetail, TraceLog } from './trace-log.js';

/**
 * Lets every pending microtask run: resolves in a later macrotask.
 *
 * @since 0.1.0
 */
export type Hop = () => Promise<void>;

/**
 * @since 0.1.0
 */
export interface SimSchedulerOptions {
  /** Default: one turn of the process's event loop. */
  readonly hop?: Hop | undefined;
  /** How many trace lines to keep for a failure; default 200. */
  readonly traceLines?: number | undefined;
}

/**
 * The clock and the queue of one simulation.
 *
 * @since 0.1.0
 */
export class SimScheduler {
  readonly #queue = new EventQueue();
  readonly #trace: TraceLog;
  readonly #hop: Hop;
  #nowUs = 0;
  #seq = 0;
  #running = false;

  /**
   * @param options - see {@link SimSchedulerOptions}
   */
  constructor(options: SimSchedulerOptions = {}) {
    this.#hop = options.hop ?? systemHop;
    this.#trace = new TraceLog(options.traceLines ?? 200);
  }

  /** Virtual microseconds since the start of the simulation. */
  get nowUs(): number {
    return this.#nowUs;
  }

  /** Hash of everything that happened; see {@link TraceLog}. */
  get traceHash(): string {
    return this.#trace.hash;
  }

  /** The newest trace lines, oldest first. */
  get traceLines(): readonly string[] {
    return this.#trace.lines();
  }

  /**
   * Schedules an action. It never runs inside this call.
   *
   * @param timeUs - virtual time, an integer not before now
   * @param action - synchronous; what it throws rejects the run
   */
  at(timeUs: number, action: () => void): SimEvent {
    assert(Number.isSafeInteger(timeUs), `virtual time is an integer: ${timeUs}`);
    assert(timeUs >= this.#nowUs, `virtual time goes forward: ${timeUs} < ${this.#nowUs}`);
    this.#seq += 1;
    const event = new SimEvent({ timeUs, seq: this.#seq }, action);
    this.#queue.push(event);
    return event;
  }

  /**
   * Schedules an action some time from now.
   *
   * @param delayUs - an integer, at least 0
   * @param action - as for `at`
   */
  after(delayUs: number, action: () => void): SimEvent {
    return this.at(this.#nowUs + delayUs, action);
  }

  /**
   * Records a fact of the run.
   *
   * @param kind - what happened, such as `net.drop`
   * @param node - name of the machine it happened on
   * @param details - integers and short texts
   */
  trace(kind: string, node: string, ...details: readonly TraceDetail[]): void {
    this.#trace.add({ timeUs: this.#nowUs, node, kind, details });
  }

  /**
   * Runs events up to and including `timeUs`, or until `stop` holds after one of them. Only one run
   * at a time.
   *
   * @param timeUs - virtual time to end at; the clock stands there afterwards, unless stopped
   * @param stop - asked before the first event and after each one; default never
   * @returns whether `stop` ended it
   */
  async runTo(timeUs: number, stop: () => boolean = never): Promise<boolean> {
    assert(!this.#running, 'one run at a time');
    assert(timeUs >= this.#nowUs, `virtual time goes forward: ${timeUs} < ${this.#nowUs}`);
    this.#running = true;
    try {
      // What the caller started before this run gets to schedule its first events.
      await this.#hop();
      while (!stop()) {
        const next = this.#queue.peek();
        if (next === undefined || next.timeUs > timeUs) {
          this.#nowUs = timeUs;
          return false;
        }
        this.#fire(this.#queue.pop() as SimEvent);
        await this.#hop();
      }
      return true;
    } finally {
      this.#running = false;
    }
  }

  #fire(event: SimEvent): void {
    this.#nowUs = event.timeUs;
    this.#trace.number(event.timeUs);
    this.#trace.number(event.seq);
    event.fire();
  }
}

const never = (): boolean => false;

function systemHop(): Promise<void> {
  return new Promise((resolve) => {
    systemTimers.soon(resolve);
  });
}
