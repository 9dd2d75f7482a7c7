// Goal: the changer gives what the scenario files of etcd-io/raft say, errors and the life of each
// member's progress included. Their texts are kept here; the product has reasons.
import { describe, expect, test } from 'vitest';
import { isKontikiError } from '../../src/base/errors.js';
import {
  type Configuration,
  emptyConfiguration,
  enterJoint,
  leaveJoint,
  type MembershipStep,
  memberIds,
  simpleChange,
} from '../../src/raft/index.js';
import { type Directive, runDirectives, valuesOf } from './datadriven.js';
import { fixtureFiles } from './fixture-files.js';
import { configurationText, parseChanges } from './membership-text.js';

/** A leader's view of the members, and a log that grows by one entry with every command. */
class Tracker {
  #configuration: Configuration = emptyConfiguration;
  readonly #next = new Map<number, number>();
  #lastIndex = 0;

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
    const changes = parseChanges(directive.input);
    switch (directive.command) {
      case 'simple':
        return simpleChange(this.#configuration, changes);
      case 'enter-joint': {
        const autoLeave = valuesOf(directive, 'autoleave')?.[0] === 'true';
        return enterJoint(this.#configuration, changes, { autoLeave });
      }
      case 'leave-joint':
        return leaveJoint(this.#configuration);
      default:
        throw new Error(`expected a known command, got ${directive.command}`);
    }
  }

  #install({ configuration, added, removed }: MembershipStep): void {
    this.#configuration = configuration;
    for (const id of removed) expect(this.#next.delete(id), `${id} was there`).toBe(true);
    for (const id of added) {
      expect(this.#next.has(id), `${id} was not there`).toBe(false);
      this.#next.set(id, Math.max(this.#lastIndex, 1));
    }
    expect([...this.#next.keys()].sort((a, b) => a - b)).toEqual(memberIds(configuration));
  }

  #text(): string {
    const lines = memberIds(this.#configuration).map((id) => {
      const learner = this.#configuration.learners.includes(id) ? ' learner' : '';
      return `${id}: StateProbe match=0 next=${this.#next.get(id)}${learner}`;
    });
    return [configurationText(this.#configuration), ...lines].join('\n');
  }
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

const run = (name: string, text: string): void => {
  const tracker = new Tracker();
  runDirectives(name, text, (directive) => tracker.run(directive));
};

describe('membership fixtures', () => {
  const files = fixtureFiles('confchange');
  for (const { name, text } of files) test(name, () => run(name, text));

  test('there are files', (context) => {
    context.skip(files.length === 0, 'needs ../shared/fixtures/raft or KONTIKI_RAFT_FIXTURES');
    expect(files.length).toBeGreaterThan(0);
  });

  test('another answer than the file says -> fails', () => {
    expect(() => run('own', 'simple\nv1\n----\nvoters=(1)\n')).toThrow('own:1');
    expect(() => run('own', 'simple\nx1\n----\n')).toThrow('got x1');
  });

  test('member 0 and updates -> change nothing', () => {
    const text = `simple
v1 r0 v0 l0
----
voters=(1)
1: StateProbe match=0 next=1

simple
u1 u2
----
voters=(1)
1: StateProbe match=0 next=1
`;
    run('own', text);
  });

  test('removed and added within a change -> starts anew, unless the outgoing half kept it', () => {
    const text = `simple
v1 v1
----
voters=(1)
1: StateProbe match=0 next=1

simple
v2
----
voters=(1 2)
1: StateProbe match=0 next=1
2: StateProbe match=0 next=1

simple
r2 v2
----
voters=(1 2)
1: StateProbe match=0 next=1
2: StateProbe match=0 next=2

enter-joint
r2 v2 v3 r3 v4 r4 l4
----
voters=(1 2)&&(1 2) learners=(4)
1: StateProbe match=0 next=1
2: StateProbe match=0 next=2
4: StateProbe match=0 next=3 learner
`;
    run('own', text);
  });
});
