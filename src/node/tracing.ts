/**
 * Where the work of a member can be watched as it happens. The shape is that of Node's
 * `TracingChannel`, so that the platform's are passed in as they are (`preset/`), and nobody else
 * needs to know them.
 */

/** One kind of work. @since 0.1.0 */
export interface TraceChannel {
  /** Whether anybody listens; asked each time, so that nobody pays for what nobody hears. */
  readonly hasSubscribers: boolean;
  /**
   * Runs the work and tells its begin, its end and its error.
   *
   * @param run - called once, inside this call
   * @param context - what the listeners get; `result` and `error` are added to it
   * @returns what `run` returned; rejects, or throws, as it does
   */
  tracePromise<T>(run: () => Promise<T>, context: object): Promise<T>;
}

/** The channels of one member; see docs/api/metrics.md for the contexts. @since 0.1.0 */
export interface Tracing {
  /** A command, from the call to the answer of its apply. */
  readonly propose: TraceChannel;
  /** A read of a store, or a `readIndex` of a node, from the call to its end. */
  readonly read: TraceChannel;
  /** Write and sync of one group of the log. */
  readonly fsync: TraceChannel;
  /** One batch of entries in the state machine. */
  readonly apply: TraceChannel;
  /** A snapshot being made or installed. */
  readonly snapshot: TraceChannel;
}

/**
 * Runs work that has a closure anyway. Where there is none, ask `hasSubscribers` first.
 *
 * @param channel - `undefined`: nobody can listen
 * @param run - the work
 * @param context - what listeners get
 * @since 0.1.0
 */
export function traced<T>(
  channel: TraceChannel | undefined,
  run: () => Promise<T>,
  context: object,
): Promise<T> {
  return channel?.hasSubscribers ? channel.tracePromise(run, context) : run();
}
