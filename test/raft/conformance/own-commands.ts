/** Commands that only our own scenario files use (conformance §8). */
import { type Directive, valuesOf } from '../datadriven.js';
import { exactWords, firstMember, numberOf, optionNumber, wordsOf } from './command-words.js';
import { take } from './delivery.js';
import type { Command } from './fixture-commands.js';
import { type Flight, isLocalFlight, typeOf } from './flight.js';
import type { ScenarioEnvironment } from './scenario-environment.js';

type Environment = ScenarioEnvironment;

export const ownCommands: Readonly<Record<string, Command>> = {
  /** `read-index id ctx`: the context is only the file's name for the read. */
  'read-index': (environment, directive) => {
    const [, context] = exactWords(directive, 'member', 'context');
    const member = firstMember(environment, directive);
    const readId = environment.newRead(context as string);
    return environment.refusal(() => member.act((node) => node.readIndex(readId, member.nowMs)));
  },
  restart,
  /** `report-snapshot a b ok|fail`: `a` is told what became of the snapshot it sent to `b`. */
  'report-snapshot': (environment, directive) => {
    const [at, peer, result] = exactWords(directive, 'member', 'peer', 'ok|fail');
    if (result !== 'ok' && result !== 'fail') throw new Error(`expected ok or fail, got ${result}`);
    const id = environment.names.id(numberOf(peer, 'a member'));
    const member = environment.member(numberOf(at, 'a member'));
    return environment.refusal(() =>
      member.act((node) => node.reportSnapshot(id, result === 'ok')),
    );
  },
  tick: (environment, directive) => {
    const [, count] = exactWords(directive, 'member', 'count');
    const member = firstMember(environment, directive);
    return environment.refusal(() => member.tick(numberOf(count, 'a count')));
  },
  'drop-type': dropType,
  'dup-msgs': (environment, directive) => rearrange(environment, directive, (f) => [...f, ...f]),
  'reorder-msgs': (environment, directive) =>
    rearrange(environment, directive, (flights) => [...flights].reverse()),
  'unstable-log': unstableLog,
};

/** `restart id [applied=n] [lose-unsynced]`: what never left the process is gone in any case. */
function restart(environment: Environment, directive: Directive): undefined {
  const member = firstMember(environment, directive);
  const words = wordsOf(directive).slice(1);
  if (words.some((word) => word !== 'lose-unsynced')) throw new Error(`got ${words.join(' ')}`);
  const applied = optionNumber(directive, 'applied');
  take(environment, (flight) => {
    return isLocalFlight(flight) && environment.receiver(flight) === member.label;
  });
  member.restart({
    applied: applied === undefined ? undefined : environment.names.index(applied),
    loseUnsynced: words.length > 0,
  });
}

/** `drop-type MsgX [from=a] [to=b]`: loses them wherever they are in the queue. */
function dropType(environment: Environment, directive: Directive): undefined {
  const [type] = exactWords(directive, 'type');
  const from = optionNumber(directive, 'from');
  const to = optionNumber(directive, 'to');
  const dropped = take(
    environment,
    (flight) =>
      typeOf(flight) === type &&
      !isLocalFlight(flight) &&
      (from === undefined || environment.names.label(flight.message.from) === from) &&
      (to === undefined || environment.receiver(flight) === to),
  );
  if (dropped.length === 0) environment.output.add('no messages');
  for (const flight of dropped)
    environment.output.add(`dropped: ${environment.messageText.flight(flight)}`);
}

/**
 * `dup-msgs [to=(ids)]`, `reorder-msgs [to=(ids)]`: what waits for each member, twice in a row or in
 * the opposite order. Shows what then waits.
 */
function rearrange(
  environment: Environment,
  directive: Directive,
  change: (flights: readonly Flight[]) => readonly Flight[],
): undefined {
  const named = valuesOf(directive, 'to')?.map((value) => numberOf(value, 'a member'));
  for (const label of named ?? environment.members.map((member) => member.label)) {
    const taken = take(environment, (flight) => {
      return !isLocalFlight(flight) && environment.receiver(flight) === label;
    });
    const changed = change(taken);
    environment.inFlight.push(...changed);
    for (const flight of changed) environment.output.add(environment.messageText.flight(flight));
  }
}

/** What the core holds beside the disk: a snapshot to install, and entries not known to be durable. */
function unstableLog(environment: Environment, directive: Directive): undefined {
  const { log } = firstMember(environment, directive).core;
  const { output, text, names } = environment;
  if (log.pendingSnapshot !== undefined)
    output.add(`Snapshot ${text.snapshot(log.pendingSnapshot)}`);
  const entries = log.slice(log.offset, log.lastIndex + 1, Infinity);
  if (!Array.isArray(entries)) throw new Error('the unstable log is in memory');
  output.add(`unstable from ${names.shownIndex(log.offset)}`);
  for (const entry of entries) output.add(text.entry(entry));
}
