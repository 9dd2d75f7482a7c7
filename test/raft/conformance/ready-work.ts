/** Carrying out what a member wants done, and letting a group run until it rests. */
import type { Message, Ready, StorageAppend, StorageApply } from '../../../src/raft/index.js';
import { deliver } from './delivery.js';
import type { Flight } from './flight.js';
import type { ScenarioEnvironment } from './scenario-environment.js';
import type { ScenarioMember } from './scenario-member.js';

type Environment = ScenarioEnvironment;

/** Takes a `Ready`, shows it, and does it, or queues it for the two threads. */
export function processReady(environment: Environment, member: ScenarioMember): void {
  const ready = member.act((node) => node.ready());
  environment.output.add(readyText(environment, member, ready));
  if (member.isAsync) {
    for (const message of ready.messages) environment.send({ message });
    if (ready.append !== undefined) member.appendWork.push(ready.append);
    if (ready.apply !== undefined) member.applyWork.push(ready.apply);
    return;
  }
  if (ready.append !== undefined) member.write(ready.append);
  if (ready.apply !== undefined) {
    environment.checker.checkApplied(ready.apply.entries);
    member.apply(ready.apply.entries);
  }
  for (const message of synchronousMessages(member, ready)) environment.send({ message });
  environment.refusal(() => member.act((node) => node.advance()));
}

/**
 * What leaves after the write: what might have left before it, and then the pledges. The reference
 * has vote requests among the former, so its files show them there.
 */
function synchronousMessages(member: ScenarioMember, { messages, append }: Ready): Message[] {
  const pledges = append?.responses ?? [];
  if (!member.asReference) return [...messages, ...pledges];
  const requests = pledges.filter(({ kind }) => kind === 'vote-request');
  const others = pledges.filter(({ kind }) => kind !== 'vote-request');
  const order = (message: Message): number => member.sentOrder(message);
  return [...[...messages, ...requests].sort((a, b) => order(a) - order(b)), ...others];
}

function readyText(environment: Environment, member: ScenarioMember, ready: Ready): string {
  const { text } = environment;
  const { append, apply, softState, reads } = ready;
  const mustSync = append !== undefined && member.takeMustSync(append);
  const lines: string[] = [];
  if (softState !== undefined) lines.push(text.softState(softState));
  if (append?.hardState !== undefined) lines.push(text.hardState(append.hardState));
  if (reads.length > 0) lines.push(text.readStates(reads));
  const list = (head: string, shown: readonly string[]): void => {
    if (shown.length > 0) lines.push(head, ...shown);
  };
  list('Entries:', append?.entries.map((entry) => text.entry(entry)) ?? []);
  if (append?.snapshot !== undefined) lines.push(`Snapshot ${text.snapshot(append.snapshot)}`);
  list('CommittedEntries:', apply?.entries.map((entry) => text.entry(entry)) ?? []);
  list('Messages:', messageTexts(environment, member, ready));
  if (lines.length === 0) return '<empty Ready>';
  return [`Ready MustSync=${mustSync}:`, ...lines].join('\n');
}

function messageTexts(
  { messageText: text }: Environment,
  member: ScenarioMember,
  ready: Ready,
): string[] {
  if (!member.isAsync) {
    return synchronousMessages(member, ready).map((message) => text.flight({ message }));
  }
  const { append, apply } = ready;
  const { id } = member.core;
  const lines = ready.messages.map((message) => text.flight({ message }));
  if (append !== undefined) lines.push(text.storageAppend(id, append, appendAnswers(append)));
  if (apply !== undefined) lines.push(text.storageApply(id, apply.entries, applyAnswers(apply)));
  return lines;
}

function appendAnswers({ responses, snapshot }: StorageAppend): Flight[] {
  return responses.map((message) =>
    message.kind === 'storage-append-response' && snapshot !== undefined
      ? { message, snapshot }
      : { message },
  );
}

function applyAnswers({ response, entries }: StorageApply): Flight[] {
  return [{ message: response, entries }];
}

/** Does the oldest write that waits. */
export function processAppend(environment: Environment, member: ScenarioMember): void {
  const work = member.appendWork.shift();
  if (work === undefined) {
    environment.output.add('no append work to perform');
    return;
  }
  const answers = appendAnswers(work);
  const shown = environment.messageText.storageAppend(member.core.id, work, []);
  showWork(environment, shown, answers);
  member.write(work);
  for (const answer of answers) environment.send(answer);
}

/** Applies the oldest entries that wait. */
export function processApply(environment: Environment, member: ScenarioMember): void {
  const work = member.applyWork.shift();
  if (work === undefined) {
    environment.output.add('no apply work to perform');
    return;
  }
  const answers = applyAnswers(work);
  const shown = environment.messageText.storageApply(member.core.id, work.entries, []);
  showWork(environment, shown, answers);
  environment.checker.checkApplied(work.entries);
  member.apply(work.entries);
  for (const answer of answers) environment.send(answer);
}

function showWork(
  { output, messageText }: Environment,
  shown: string,
  answers: readonly Flight[],
): void {
  output.add(
    ['Processing:', shown, 'Responses:', ...answers.map((each) => messageText.flight(each))].join(
      '\n',
    ),
  );
}

const roundsMax = 1_000;

/** Lets the members run, in this order, until a whole round has done nothing. */
export function stabilize(environment: Environment, members: readonly ScenarioMember[]): void {
  for (let round = 0; round < roundsMax; round += 1) {
    if (!stabilizeRound(environment, members)) return;
  }
  throw new Error(`stabilize: still busy after ${roundsMax} rounds`);
}

function stabilizeRound(environment: Environment, members: readonly ScenarioMember[]): boolean {
  const { output } = environment;
  let busy = false;
  const section = (head: string, body: () => void): void => {
    busy = true;
    output.section(head, body);
  };
  for (const member of members) {
    if (!member.act((node) => node.hasReady())) continue;
    section(`${member.label} handling Ready`, () => processReady(environment, member));
  }
  for (const { label } of members) {
    if (!environment.inFlight.some((flight) => environment.receiver(flight) === label)) continue;
    section(`${label} receiving messages`, () => deliver(environment, [{ label, drop: false }]));
  }
  for (const member of members) {
    if (member.appendWork.length === 0) continue;
    section(`${member.label} processing append thread`, () => {
      while (member.appendWork.length > 0) processAppend(environment, member);
    });
  }
  for (const member of members) {
    if (member.applyWork.length === 0) continue;
    section(`${member.label} processing apply thread`, () => {
      while (member.applyWork.length > 0) processApply(environment, member);
    });
  }
  return busy;
}
