/**
 * How a member finds its group: any member tells one that was added who it is, and how the group began.
 */

import type { Timers } from '../base/clock.js';
import { Deferred } from '../base/deferred.js';
import { type KontikiError, kontikiError } from '../base/errors.js';
import { sleep } from '../base/sleep.js';
import {
  decodeJoinAnswer,
  encodeJoinQuestion,
  type JoinAnswer,
} from '../codec/membership-codec.js';
import type { Env } from '../node/env.js';
import { tokenHash } from './data-directory.js';
import type { StoreConfig } from './store-config.js';

/** What a member of the group said. @since 0.1.0 */
export type Joined = JoinAnswer & { readonly kind: 'member' };

/** Between two questions to one of them, in milliseconds. */
const pauseMs = 100;

/**
 * Asks all members of `config.join` side by side, each again and again, until one knows this member: some
 * may be silent, and others may not have heard of it yet.
 *
 * @param env - its transport listens
 * @param config - of a member that joins; its `timeoutMs` ends the search
 * @throws {KontikiError} OPTIONS_INVALID, when there is nobody to ask; MEMBER_UNKNOWN, CLUSTER_MISMATCH:
 *   what was answered; FRAME_INVALID, FORMAT_UNSUPPORTED, when it made no sense; TLS_REFUSED; TIMEOUT,
 *   when nobody did
 * @since 0.1.0
 */
export async function joinGroup(env: Env, config: StoreConfig): Promise<Joined> {
  const { inquire } = env.transport;
  const { join, name, timeoutMs, token } = config;
  if (join.length === 0 || inquire === undefined) {
    const message = 'openStore: expected join to have an address, since dir is empty';
    throw kontikiError('OPTIONS_INVALID', message);
  }
  const question = encodeJoinQuestion({ name, token: tokenHash(token) });
  const ask = (address: string) => inquire.call(env.transport, address, question);
  const search = new JoinSearch(env.timers, join, ask);
  const failure = kontikiError(
    'TIMEOUT',
    `openStore: expected a member at ${join.join(', ')} to answer within ${timeoutMs} ms`,
  );
  return search.run(timeoutMs, failure);
}

/** One search, over once somebody knows this member, nobody ever will, or its time is over. */
class JoinSearch {
  readonly #timers: Timers;
  readonly #ask: (address: string) => Promise<Uint8Array | undefined>;
  readonly #found = new Deferred<Joined>();
  readonly #over = new AbortController();
  /** Those whose first question has no end yet. */
  readonly #unheard: Set<string>;
  readonly #addresses: readonly string[];
  /** The last thing that went wrong. */
  #failure: KontikiError | undefined;
  /** Of another cluster. */
  #mismatch: KontikiError | undefined;

  constructor(
    timers: Timers,
    join: readonly string[],
    ask: (address: string) => Promise<Uint8Array | undefined>,
  ) {
    this.#timers = timers;
    this.#ask = ask;
    this.#unheard = new Set(join);
    this.#addresses = [...this.#unheard];
  }

  /** @param silence - what it rejects with when nobody said anything */
  async run(timeoutMs: number, silence: KontikiError): Promise<Joined> {
    const timer = this.#timers.after(timeoutMs, () => {
      this.#found.reject(this.#mismatch ?? this.#failure ?? silence);
    });
    try {
      for (const address of this.#addresses) void this.#askUntilOver(address);
      return await this.#found.promise;
    } finally {
      timer.cancel();
      this.#over.abort();
    }
  }

  /** Never rejects. */
  async #askUntilOver(address: string): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      try {
        const answer = await this.#ask(address);
        if (answer !== undefined) this.#take(decodeJoinAnswer(answer), address);
      } catch (error) {
        // Whoever listens there, another one may know better.
        this.#failure = error as KontikiError;
      }
      this.#unheard.delete(address);
      // Not before the others had their say: which of them is the fastest decides nothing.
      if (this.#mismatch !== undefined && this.#unheard.size === 0) {
        this.#found.reject(this.#mismatch);
      }
      await sleep(this.#timers, pauseMs, signal);
    }
  }

  #take(said: JoinAnswer, address: string): void {
    if (said.kind === 'member') {
      this.#found.resolve(said);
      return;
    }
    this.#failure = kontikiError(said.code, `openStore: ${address} says: ${said.message}`);
    if (said.code === 'CLUSTER_MISMATCH') this.#mismatch ??= this.#failure;
  }
}
