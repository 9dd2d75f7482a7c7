/** The commands of the reference's scenario files (conformance §3). */
import type { ConfChange, ConfChangeTransition, ConfChangeV2 } from '../../../src/raft/index.js';
import { type Directive, valuesOf } from '../datadriven.js';
import { parseChanges } from '../membership-text.js';
import {
  exactWords,
  firstMember,
  logLevelOf,
  namedMembers,
  numberOf,
  optionNumber,
  wordsOf,
} from './command-words.js';
import { deliver, type Recipient } from './delivery.js';
import { electionTicks, heartbeatTicks, memberOptions } from './member-options.js';
import { processAppend, processApply, processReady, stabilize } from './ready-work.js';
import type { Relabelling } from './relabelling.js';
import type { ScenarioEnvironment } from './scenario-environment.js';
import type { ScenarioMember } from './scenario-member.js';

type Environment = ScenarioEnvironment;

/** Shows something, or nothing; what it returns is an error of the caller. */
export type Command = (environment: Environment, directive: Directive) => string | undefined;

export const fixtureCommands: Readonly<Record<string, Command>> = {
  'add-nodes': addNodes,
  campaign: (environment, directive) => {
    const member = firstMember(environment, directive);
    return environment.refusal(() => member.act((node) => node.campaign()));
  },
  propose,
  'propose-conf-change': proposeConfChange,
  'process-ready': (environment, directive) =>
    each(environment, directive, 'handling Ready', processReady),
  'process-append-thread': (environment, directive) =>
    each(environment, directive, 'processing append thread', processAppend),
  'process-apply-thread': (environment, directive) =>
    each(environment, directive, 'processing apply thread', processApply),
  'deliver-msgs': deliverMessages,
  stabilize: stabilizeMembers,
  'tick-election': (environment, directive) => tick(environment, directive, electionTicks),
  'tick-heartbeat': (environment, directive) => tick(environment, directive, heartbeatTicks),
  'set-randomized-election-timeout': setElectionTimeout,
  compact,
  'raft-log': (environment, directive) => {
    environment.output.add(raftLog(environment, firstMember(environment, directive)));
    return undefined;
  },
  'raft-state': ({ members, output, text }) => {
    for (const member of members) output.add(text.raftState(member.act((node) => node.status())));
    return undefined;
  },
  status: (environment, directive) => {
    const { progress } = firstMember(environment, directive).act((node) => node.status());
    for (const one of progress) environment.output.add(environment.text.progress(one));
    return undefined;
  },
  'transfer-leadership': transferLeadership,
  'forget-leader': (environment, directive) => {
    const member = firstMember(environment, directive);
    return environment.refusal(() => member.act((node) => node.forgetLeader()));
  },
  'report-unreachable': (environment, directive) => {
    const [at, lost] = exactWords(directive, 'member', 'peer').map(Number);
    const id = environment.names.id(lost as number);
    const member = environment.member(at as number);
    return environment.refusal(() => member.act((node) => node.reportUnreachable(id)));
  },
  'send-snapshot': sendSnapshot,
  'log-level': ({ output }, directive) => {
    output.level = logLevelOf(exactWords(directive, 'level')[0]);
    return undefined;
  },
  _breakpoint: () => undefined,
};

function addNodes(environment: Environment, directive: Directive): string | undefined {
  const count = numberOf(wordsOf(directive)[0], 'how many');
  const options = memberOptions(directive);
  const { bootstrap } = options;
  if (bootstrap !== undefined && bootstrap.index <= 1) {
    return 'index must be specified as > 1 due to bootstrap';
  }
  environment.addMembers(count, options);
  return undefined;
}

function propose(environment: Environment, directive: Directive): string | undefined {
  const [, data] = exactWords(directive, 'member', 'data');
  const member = firstMember(environment, directive);
  const command = new TextEncoder().encode(data);
  return environment.refusal(() => member.act((node) => node.propose([command])));
}

function proposeConfChange(environment: Environment, directive: Directive): string | undefined {
  const member = firstMember(environment, directive);
  const change = parseChange(environment.names, directive);
  return environment.refusal(() => member.act((node) => node.proposeConfChange(change)));
}

const transitions: Readonly<Record<string, ConfChangeTransition>> = {
  auto: 'auto',
  implicit: 'joint-implicit',
  explicit: 'joint-explicit',
};

function parseChange(names: Relabelling, directive: Directive): ConfChange | ConfChangeV2 {
  const transition = transitions[valuesOf(directive, 'transition')?.[0] ?? 'auto'];
  if (transition === undefined) throw new Error('expected transition=auto, implicit or explicit');
  const changes = parseChanges(directive.input).map(({ type, memberId }) => ({
    type,
    memberId: names.id(memberId),
  }));
  if (valuesOf(directive, 'v1')?.[0] !== 'true') return { transition, changes };
  const [only, more] = changes;
  if (only === undefined || more !== undefined || transition !== 'auto') {
    throw new Error('v1 conf change can only have one operation and no transition');
  }
  return only;
}

function each(
  environment: Environment,
  directive: Directive,
  head: string,
  body: (environment: Environment, member: ScenarioMember) => void,
): undefined {
  const members = namedMembers(environment, directive);
  for (const member of members) {
    if (members.length === 1) body(environment, member);
    else environment.output.section(`${member.label} ${head}`, () => body(environment, member));
  }
}

function deliverMessages(environment: Environment, directive: Directive): undefined {
  const recipients: Recipient[] = [];
  for (const { key, values } of directive.args) {
    if (values.length === 0) recipients.push({ label: numberOf(key, 'a member'), drop: false });
    if (key !== 'drop') continue;
    for (const value of values) {
      const label = numberOf(value, 'a member');
      if (recipients.some((one) => one.label === label)) throw new Error(`${label} is named twice`);
      recipients.push({ label, drop: true });
    }
  }
  const type = valuesOf(directive, 'type')?.[0];
  if (deliver(environment, recipients, type) === 0) environment.output.add('no messages');
}

function stabilizeMembers(environment: Environment, directive: Directive): undefined {
  const named = namedMembers(environment, directive);
  const members = named.length > 0 ? named : environment.members;
  const level = valuesOf(directive, 'log-level')?.[0];
  const { output } = environment;
  output.withLevel(level === undefined ? output.level : logLevelOf(level), () =>
    stabilize(environment, members),
  );
}

function tick(environment: Environment, directive: Directive, count: number): string | undefined {
  const member = firstMember(environment, directive);
  return environment.refusal(() => member.tick(count));
}

function setElectionTimeout(environment: Environment, directive: Directive): undefined {
  const timeout = optionNumber(directive, 'timeout') ?? 0;
  if (timeout === 0) throw new Error('expected timeout=n');
  firstMember(environment, directive).setElectionTimeout(timeout);
}

function compact(environment: Environment, directive: Directive): undefined {
  const [, index] = exactWords(directive, 'member', 'index');
  const member = firstMember(environment, directive);
  member.act(() => member.storage.compact(environment.names.index(numberOf(index, 'an index'))));
  environment.output.add(raftLog(environment, member));
}

/** What the disk holds, and not what the core has beside it. */
function raftLog({ names, text }: Environment, { storage }: ScenarioMember): string {
  if (storage.log.length > 0) return storage.log.map((entry) => text.entry(entry)).join('\n');
  const first = names.shownIndex(storage.firstIndex());
  const last = names.shownIndex(storage.lastIndex());
  return `log is empty: first index=${first}, last index=${last}`;
}

function transferLeadership(environment: Environment, directive: Directive): string | undefined {
  const from = optionNumber(directive, 'from');
  const to = optionNumber(directive, 'to');
  if (from === undefined || to === undefined) throw new Error('expected from=a to=b');
  const id = environment.names.id(to);
  const member = environment.member(from);
  return environment.refusal(() => member.act((node) => node.transferLeader(id)));
}

/** Past the core: it does not know of this one. */
function sendSnapshot(environment: Environment, directive: Directive): undefined {
  const [from, to] = exactWords(directive, 'member', 'peer').map(Number);
  const member = environment.member(from as number);
  const snapshot = member.latestSnapshot;
  if (snapshot === undefined) throw new Error(`member ${from} has no snapshot`);
  const { id, term } = member.core;
  const message = {
    kind: 'snapshot-request',
    from: id,
    to: environment.names.id(to as number),
    term,
    snapshot,
  } as const;
  environment.output.add(environment.messageText.flight({ message }));
  environment.send({ message });
}
