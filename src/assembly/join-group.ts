/**
 * How a member finds its group: any member tells one that was added who it is, and how the group began.
 */

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

/** Between two rounds of questions, in milliseconds. */
const pauseMs = 100;

/**
 * Asks the members of `config.join`, one after the other, until one knows this member: others may not
 * have heard of it yet.
 *
 * @param env - its transport listens
 * @param config - of a member that joins; its `timeoutMs` ends the search
 * @throws {KontikiError} OPTIONS_INVALID, when there is nobody to ask; MEMBER_UNKNOWN, CLUSTER_MISMATCH:
 *   what was answered; FRAME_INVALID, FORMAT_UNSUPPORTED, when it made no sense; TLS_REFUSED; TIMEOUT,
 *   when nobody did
 * @since 0.1.0
 */
export async function joinGroup(env: Env, config: StoreConfig): Promise<Joined> {
  const { clock, timers } = env;
  const { join, name, timeoutMs, token } = config;
  if (join.length === 0 || env.transport.inquire === undefined) {
    const message = 'openStore: expected join to have an address, since dir is empty';
    throw kontikiError('OPTIONS_INVALID', message);
  }
  const question = encodeJoinQuestion({ name, token: tokenHash(token) });
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  let failure: KontikiError = kontikiError(
    'TIMEOUT',
    `openStore: expected a member at ${join.join(', ')} to answer within ${timeoutMs} ms`,
  );
  while (clock.monotonicMs() < deadlineMs) {
    for (const address of join) {
      const answer = await env.transport.inquire(address, question).catch((error) => {
        failure = error;
      });
      if (answer === undefined) continue;
      let said: JoinAnswer;
      try {
        said = decodeJoinAnswer(answer);
      } catch (error) {
        // Whoever listens there, another one may know better.
        failure = error as KontikiError;
        continue;
      }
      if (said.kind === 'member') return said;
      failure = kontikiError(said.code, `openStore: ${address} says: ${said.message}`);
      if (said.code === 'CLUSTER_MISMATCH') throw failure;
    }
    await sleep(timers, pauseMs);
  }
  throw failure;
}
