/**
 * The commands of the membership files, one tracker for each file. The error texts are kept here: the
 * product has reasons (conformance §6.2).
 */
import { expect } from 'vitest';
import { isKontikiError } from '../../../src/base/errors.js';
import {
  type Configuration,
  emptyConfiguration,
  enterJoint,
  leaveJoint,
  type MembershipStep,
  memberIds,
  restoreConfiguration,
  simpleChange,
} from '../../../src/raft/index.js';
import { freeze } from '../cluster.js';
import { type Directive, valuesOf } from '../datadriven.js';
import { configurationText, parseChanges } from '../membership-text.js';
import { passThroughDisk } from './real-codecs.js';
import type { Relabelling } from './relabelling.js';

/** A leader's view of the members, and a log that grows by one entry with every command. */
export class MembershipCases {
  readonly #names: Relabelling;
  #configuration: Configuration = emptyConfiguration;
  readonly #next = new Map<number, number>();
  #lastIndex = 0;

  constructor(names: Relabelling) {
    this.#names = names;
  }

  run(directive: Directive): string {
    try {
      this.#install(this.#plan(directive));
      return this.#text();
    } catch (error) {
      return errorText(directive.command, error);
    } finally {
      this.#lastIndex += 1;
    }
  }

  #plan(directive: Directive): MembershipStep {
    const changes = freeze(
      parseChanges(directive.input).map(({ type, memberId }) => ({
        type,
        memberId: this.#names.id(memberId),
      })),
    );
    switch (directive.command) {
      case 'simple':
        return simpleChange(this.#configuration, changes);
      case 'enter-joint': {
        const autoLeave = /^(true|t|1)$/i.test(valuesOf(directive, 'autoleave')?.[0] ?? '');
        return enterJoint(this.#configuration, changes, { autoLeave });
      }
      case 'leave-joint':
        return leaveJoint(this.#configuration);
      default:
        throw new Error(`expected a known command, got ${directive.command}`);
    }
  }

  #install({ configuration, added, removed }: MembershipStep): void {
    // What is stored and read again is the same configuration.
    this.#configuration = restoreConfiguration(throughDisk(configuration));
    expect(this.#configuration).toEqual(configuration);
    for (const id of removed) expect(this.#next.delete(id), `${id} was there`).toBe(true);
    for (const id of added) {
      expect(this.#next.has(id), `${id} was not there`).toBe(false);
      this.#next.set(id, Math.max(this.#lastIndex, 1));
    }
    expect([...this.#next.keys()].sort((a, b) => a - b)).toEqual(memberIds(configuration));
  }

  #shown(): Configuration {
    const { voters, votersOutgoing, learners, learnersNext, autoLeave } = this.#configuration;
    const labels = (ids: readonly number[]): number[] => this.#names.labels(ids);
    return {
      voters: labels(voters),
      votersOutgoing: labels(votersOutgoing),
      learners: labels(learners),
      learnersNext: labels(learnersNext),
      autoLeave,
    };
  }

  #text(): string {
    const lines = memberIds(this.#configuration).map((id) => {
      const learner = this.#configuration.learners.includes(id) ? ' learner' : '';
      const label = this.#names.label(id);
      return `${label}: StateProbe match=0 next=${this.#next.get(id)}${learner}`;
    });
    return [configurationText(this.#shown()), ...lines].join('\n');
  }
}

/** As it is stored with a snapshot. */
function throughDisk(configuration: Configuration) {
  const last = { term: 1, index: 1 };
  const snapshot = { last, configuration, data: new Uint8Array(0) };
  return passThroughDisk({ snapshot, entries: [], mustSync: true }).snapshot?.configuration ?? {};
}

function errorText(command: string, error: unknown): string {
  if (!isKontikiError(error, 'CONFIGURATION_INVALID')) throw error;
  switch (error.reason) {
    case 'joint':
      return command === 'simple'
        ? "can't apply simple config change in joint config"
        : 'config is already joint';
    case 'not-joint':
      return "can't leave a non-joint config";
    case 'no-voters':
      return "can't make a zero-voter config joint";
    case 'voters-removed':
      return 'removed all voters';
    case 'several-voters':
      return 'more than one voter changed without entering joint config';
    default:
      throw error;
  }
}
