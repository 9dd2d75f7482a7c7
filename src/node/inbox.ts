/**
 * What waits for the next turn of a node: messages of peers, and answers of its own storage and state
 * machine. Each goes to the part that deals with it, in the order in which they came.
 */
import { isErrorOf } from '../base/errors.js';
import { limits } from '../base/limits.js';
import type { WireMessage } from '../codec/wire-message.js';
import type { AppendRequest, LocalMessage, Message } from '../raft/messages.js';
import type { RawNode } from '../raft/raw-node.js';
import type { ApplyBacklog } from './apply-backlog.js';
import type { Handover } from './handover.js';
import type { NodeObserver } from './observer.js';
import type { Questions } from './questions.js';
import { isOfSnapshots, type Snapshots } from './snapshots.js';

/** @since 0.1.0 */
export interface InboxParts {
  readonly raft: RawNode;
  readonly handover: Handover;
  readonly questions: Questions;
  readonly snapshots: Snapshots | undefined;
  readonly backlog: ApplyBacklog;
  readonly observer: NodeObserver | undefined;
}

/** By so much a term may rise in a tick: at ten of them a second all terms last for a year and a half. */
const termRiseMax = 2 ** 24;

/** Of the core, about messages that make no sense. */
const refusals = ['MEMBER_UNKNOWN', 'MESSAGE_INVALID', 'ARGUMENT_INVALID'] as const;

/** @since 0.1.0 */
export class Inbox {
  #messages: (WireMessage | LocalMessage)[] = [];
  /** The core takes any step of a term, and a few thousand of them would be all the terms there are. */
  #termMax = Number.POSITIVE_INFINITY;
  #rise = 0;
  /** A message of a higher term came since the last tick. */
  #isPassedOver = false;

  /**
   * Takes a message of a peer.
   *
   * @returns false when it was dropped, as the network might have: the sender repeats whatever matters
   */
  offer(message: WireMessage): boolean {
    if (this.#messages.length >= limits.inboxMessagesMax) return false;
    this.#messages.push(message);
    return true;
  }

  /** Takes an answer of the own storage or state machine. */
  push(message: LocalMessage | WireMessage): void {
    this.#messages.push(message);
  }

  /**
   * With each tick: until the next one no message is taken whose term is far above this one. A member that is
   * cut off begins no more than one in an election timeout, and asks before. Where the others are further all
   * the same, by somebody's doing, while this member was away, it follows after as many ticks.
   */
  tick(term: number): void {
    this.#rise = this.#isPassedOver ? this.#rise + termRiseMax : termRiseMax;
    this.#isPassedOver = false;
    this.#termMax = term + this.#rise;
  }

  /** Hands over everything that waits. */
  drain(parts: InboxParts): void {
    const messages = this.#messages;
    this.#messages = [];
    const { backlog, handover, questions, snapshots } = parts;
    for (const message of messages) {
      if (this.#isTooHigh(message)) continue;
      if (message.kind === 'forward-request') handover.onForward(message);
      else if (message.kind === 'forward-refusal') handover.onRefusal(message);
      else if (message.kind === 'ask-request') questions.onRequest(message);
      else if (message.kind === 'ask-response') questions.onResponse(message);
      // Proposals travel in requests of the driver's own, which are fenced by term.
      else if (message.kind === 'propose-request') continue;
      else if (isOfSnapshots(message)) snapshots?.onMessage(message);
      else if (bringsEntries(message) && backlog.isFull(message.commit)) continue;
      else step(parts, message);
    }
  }

  #isTooHigh(message: WireMessage | LocalMessage): boolean {
    if (!('term' in message) || message.term <= this.#termMax) return false;
    this.#isPassedOver = true;
    return true;
  }
}

function bringsEntries(message: Message): message is AppendRequest {
  return message.kind === 'append-request' && message.entries.length > 0;
}

/**
 * Gives a message to the core.
 *
 * @throws {KontikiError} what stops the member: lost data, or a bug
 * @since 0.1.0
 */
export function step({ raft, observer }: Pick<InboxParts, 'raft' | 'observer'>, message: Message) {
  observer?.received(message);
  try {
    raft.step(message);
  } catch (error) {
    // A message nobody should have sent is the peer's problem; losing data or a bug is ours.
    if (!isErrorOf(error, refusals)) throw error;
  }
  observer?.stepped(raft);
}
