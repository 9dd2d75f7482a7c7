/**
 * Holds a simulated group to the invariants of Raft after every step of every member. It looks on from
 * the observers of the nodes, into which nothing of it is ever thrown.
 */
import type { OpenedNode } from '../../node/index.js';
import { RaftChecker } from '../invariants/raft-checker.js';
import { livenessInvariants, memberInvariants } from '../invariants/raft-invariants.js';
import type { RaftStep } from '../invariants/raft-step.js';
import type { SimMachine } from '../sim-machine.js';
import { MemberWatch } from './member-watch.js';
import { ViolationGuard } from './violation-guard.js';

/**
 * What a healed group may take. Members that stopped are started first, which may need a few tries and
 * the replay of a log; elections include those after the loss of power at the end of a run.
 */
const calm = { leaderWithinUs: 20_000_000, electionsMax: 8 } as const;

/** @since 0.1.0 */
export class RaftWatch {
  readonly #nowUs: () => number;
  readonly #guard: ViolationGuard;
  readonly #members = new Map<number, MemberWatch>();
  /** On which of the disks of its machine each began, counted by those that were lost before. */
  readonly #disks = new Map<number, number>();
  /** From the first open on, which tells who belongs to the group. */
  #checker: RaftChecker | undefined;

  /**
   * @param nowUs - virtual time
   * @param violated - told of the first rule that is broken; nothing is checked afterwards
   */
  constructor(nowUs: () => number, violated: (id: string, message: string) => void) {
    this.#nowUs = nowUs;
    this.#guard = new ViolationGuard(violated);
  }

  /** Looks on from the next boot of a machine on, beside whoever does already. */
  watch(machine: SimMachine): void {
    const { observer, onCrash } = machine;
    /** Of the life that runs. */
    let member: MemberWatch | undefined;
    const opened = (node: OpenedNode): void => {
      member = this.#memberOf(node, machine.wipes);
      member?.onOpened(node);
    };
    machine.observer = {
      ...observer,
      opened: (node) => {
        this.#guard.look(() => opened(node));
        observer.opened(node);
      },
      received: (message) => {
        member?.onReceived(message);
        observer.received(message);
      },
      stepped: (raft) => {
        member?.onStepped();
        observer.stepped(raft);
      },
      readAsked: (readId) => {
        member?.onReadAsked(readId);
        observer.readAsked(readId);
      },
      readAnswered: (read) => {
        member?.onReadAnswered(read);
        observer.readAnswered(read);
      },
      writing: (append) => {
        this.#guard.look(() => member?.onWriting(append));
        observer.writing(append);
      },
      written: (append) => {
        this.#guard.look(() => member?.onWritten(append));
        observer.written(append);
      },
      sent: (message) => {
        member?.onSent(message);
        observer.sent(message);
      },
      configured: (index, state) => {
        member?.onConfigured(index, state);
        observer.configured(index, state);
      },
      applied: (entries, results) => {
        member?.onApplied(entries);
        observer.applied(entries, results);
      },
      installed: (index) => {
        member?.onInstalled(index);
        observer.installed(index);
      },
    };
    machine.onCrash = () => {
      const ended = member;
      member = undefined;
      ended?.onCrash();
      onCrash?.();
    };
  }

  /** From here on there are no faults. */
  healed(): void {
    this.#observe({ kind: 'healed', atUs: this.#nowUs() });
  }

  /** The run is over; all members have come back. */
  end(): void {
    this.#observe({ kind: 'end', atUs: this.#nowUs() });
  }

  /**
   * The member that opened; nobody, when it goes by the id of another disk: whoever counts what such a
   * one says, or has, breaks a rule. Only one that had nothing on its disk before has forgotten nothing: if
   * nobody had let it in, the group takes its new disk for the first.
   */
  #memberOf({ memberId, raft }: OpenedNode, wipes: number): MemberWatch | undefined {
    if (this.#checker === undefined) {
      const { configuration } = raft.status();
      const invariants = [...memberInvariants, ...livenessInvariants(calm)];
      this.#checker = new RaftChecker({ members: [], start: { configuration }, invariants });
      for (const id of configuration.voters) this.#add(id);
    }
    const member = this.#members.get(memberId) ?? this.#add(memberId);
    const { lastIndex, term } = member.view.durable;
    const isBlank = term === 0 && lastIndex === 0;
    const disk = isBlank ? wipes : (this.#disks.get(memberId) ?? wipes);
    this.#disks.set(memberId, disk);
    return disk === wipes ? member : undefined;
  }

  #add(id: number): MemberWatch {
    const member = new MemberWatch(id, this.#nowUs, (step) => this.#observe(step));
    this.#members.set(id, member);
    this.#checker?.facts.addMember(member.view);
    return member;
  }

  #observe(step: RaftStep): void {
    if (this.#guard.isOver) return;
    try {
      this.#checker?.observe(step);
    } catch (error) {
      this.#guard.failed(error);
    }
  }
}
