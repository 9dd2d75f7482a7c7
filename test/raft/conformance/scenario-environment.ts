/**
 * What the commands of one scenario file share: the members, the messages between them, and what has
 * been shown so far.
 */
import { isKontikiError } from '../../../src/base/errors.js';
import type { Prng } from '../../../src/base/prng.js';
import type { Message } from '../../../src/raft/index.js';
import { freeze } from '../cluster.js';
import { type Flight, isLocalFlight } from './flight.js';
import type { MemberOptions } from './member-options.js';
import { MessageText } from './message-text.js';
import type { Relabelling } from './relabelling.js';
import { ScenarioChecker } from './scenario-checker.js';
import { ScenarioMember } from './scenario-member.js';
import { ScenarioOutput } from './scenario-output.js';
import { ScenarioText } from './scenario-text.js';
import { chancesOf, relabellingOf, type Variant } from './variant.js';

export interface EnvironmentOptions {
  readonly variant: Variant;
  /** The file shows the reference, its known weaknesses included. */
  readonly asReference: boolean;
}

export class ScenarioEnvironment {
  readonly members: ScenarioMember[] = [];
  /** One queue for all, oldest first. */
  inFlight: Flight[] = [];
  readonly output = new ScenarioOutput();
  readonly names: Relabelling;
  readonly text: ScenarioText;
  readonly messageText: MessageText;
  readonly checker = new ScenarioChecker();
  readonly #options: EnvironmentOptions;
  readonly #chances: Prng;
  /** What the file calls the reads, by id. */
  readonly #reads: string[] = [];

  constructor(options: EnvironmentOptions) {
    this.#options = options;
    this.#chances = chancesOf(options.variant);
    this.names = relabellingOf(options.variant);
    // Known before anybody is added: a configuration may name members that come later.
    for (let label = 1; label <= 64; label += 1) this.names.id(label);
    const encoder = new TextEncoder();
    const contextOf = (readId: number): Uint8Array => encoder.encode(this.#reads[readId - 1]);
    this.text = new ScenarioText(this.names, contextOf);
    this.messageText = new MessageText(this.names, this.text, contextOf);
  }

  addMembers(count: number, options: MemberOptions): void {
    for (let added = 0; added < count; added += 1) {
      const { variant, asReference } = this.#options;
      const { names, checker } = this;
      const label = this.members.length + 1;
      const chances = this.#chances;
      const setting = { label, options, names, variant, chances, checker, asReference };
      this.members.push(new ScenarioMember(setting));
    }
  }

  member(label: number): ScenarioMember {
    const member = this.members[label - 1];
    if (member === undefined)
      throw new Error(`expected one of ${this.members.length}, got ${label}`);
    return member;
  }

  /** The member that the message is for, by the number in the file. */
  receiver({ message }: Flight): number {
    return this.names.label(message.to);
  }

  /** Sends a message: another member gets what its bytes say. */
  send(flight: Flight): void {
    const { wire, freeze: frozen } = this.#options.variant;
    const { message } = flight;
    const isLocal =
      message.kind === 'storage-append-response' || message.kind === 'storage-apply-response';
    const sent = isLocal || isLocalFlight(flight) ? flight : { ...flight, message: wire(message) };
    this.inFlight.push(frozen ? freeze(sent) : sent);
  }

  /** Hands the message over; shows a refusal. */
  step(message: Message): void {
    const member = this.member(this.names.label(message.to));
    const error = this.refusal(() => member.act((node) => node.step(message)));
    if (error !== undefined) this.output.add(error);
  }

  /** Uses a member; what the reference calls an error of the caller is returned as its text. */
  refusal(use: () => void): string | undefined {
    try {
      use();
    } catch (error) {
      const text = refusalText(error);
      if (text === undefined) throw error;
      return text;
    }
    return undefined;
  }

  /** An id for a read, which the file calls `context`. */
  newRead(context: string): number {
    return this.#reads.push(context);
  }
}

function refusalText(error: unknown): string | undefined {
  if (isKontikiError(error, 'NOT_LEADER') || isKontikiError(error, 'PROPOSAL_DROPPED')) {
    return 'raft proposal dropped';
  }
  if (isKontikiError(error, 'MEMBER_UNKNOWN')) return 'raft: cannot step as peer not found';
  if (isKontikiError(error, 'NO_LEADER')) return 'raft: no leader to ask';
  return undefined;
}
