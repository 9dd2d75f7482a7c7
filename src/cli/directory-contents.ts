/**
 * What a data directory holds, in words for `kontiki check`: format versions, counts, indexes, terms.
 */
import { type KeyspaceAudit, recordLayout } from '../mvcc/index.js';
import {
  type DirectoryCheck,
  flushFormatVersion,
  type MemberRecord,
  type StateCheck,
  snapshotFormatVersion,
} from '../storage/index.js';
import { formatVersion, type WalSummary } from '../storage/wal/index.js';
import type { LogContents } from './log-contents.js';

type Field = readonly [name: string, value: string];

/**
 * @param log - all records of the log that could be read
 * @param audit - all records of the state
 * @returns names and values to print
 */
export function describeDirectory(
  found: DirectoryCheck,
  log: LogContents,
  audit: KeyspaceAudit,
): Field[] {
  const { member, snapshots, state, stateFolder = 'state', wal } = found;
  const fields: Field[] = member === undefined ? [] : describeMember(member);
  fields.push(...log.describe(formatVersion));
  if (wal !== undefined) fields.push(...describeTail(wal));
  if (member === undefined && found.problems.length === 0) {
    const harmless = 'the first start of this member was interrupted; start it again';
    fields.push(['note', harmless]);
  }
  if (found.isOwnMachine) {
    const looked =
      'its log and its snapshots were looked at, its state is not known to this program';
    fields.push(['note', `a member with a state machine of its own: ${looked}`]);
  }
  if (state !== undefined) fields.push(...describeState(stateFolder, state, audit));
  for (const { last, size } of snapshots) {
    const holds = `entry ${last.index} of term ${last.term}, ${size} bytes`;
    fields.push(['snapshot', `format ${snapshotFormatVersion}, ${holds}`]);
  }
  return fields;
}

function describeMember(member: MemberRecord): Field[] {
  const { name, memberId, clusterId, dirId, format, members } = member;
  const names = members.map(({ id, name: other }) => `${other} (${id})`);
  return [
    ['member', `${name}, id ${memberId}, directory ${dirId}`],
    ['cluster', `${clusterId}, started with ${names.join(', ')}`],
    ['member file', `format ${format}`],
  ];
}

function describeTail({ history, leftOver, torn }: WalSummary): Field[] {
  const fields: Field[] = [];
  if (torn !== undefined) {
    const harmless = 'cut short by a crash and never acknowledged; opening the member removes it';
    const place = `in ${torn.file} at byte ${torn.offset}`;
    fields.push(['note', `the last write, ${place}: ${harmless}`]);
  }
  if (leftOver.length > 0) {
    const harmless = 'from before the start of the log; opening the member removes them';
    fields.push(['note', `${leftOver.length} log files ${harmless}`]);
  }
  if (history.installing !== undefined) {
    const { index } = history.installing.last;
    fields.push(['note', `the snapshot of entry ${index} is not installed yet`]);
  }
  return fields;
}

function describeState(folder: string, state: StateCheck, audit: KeyspaceAudit): Field[] {
  const { appliedIndex, contents, lastFlush } = state;
  const { logBytes, logs, records, tableBytes, tables, torn } = contents;
  const files = `${count(tables, 'table')} (${tableBytes} bytes), ${count(logs, 'log')} (${logBytes} bytes)`;
  const fields: Field[] = [
    ['state', `${folder}/, ${files}, ${count(records, 'record')}`],
    ['applied', `entry ${appliedIndex}, with flush ${lastFlush.seq}, format ${flushFormatVersion}`],
  ];
  if (torn !== undefined) {
    const harmless = 'cut short by a crash; the log has it';
    fields.push(['note', `the last flush, in ${torn.file} at byte ${torn.offset}: ${harmless}`]);
  }
  const { compactRevision, revision, semanticsLevel } = audit.meta;
  const { alarms, attachments, changes, closed, keys, leases, sessions } = audit.counts;
  fields.push(
    ['state hash', audit.stateHash],
    ['keyspace', `format ${recordLayout}, semantics level ${semanticsLevel}`],
    ['revision', `${revision}, readable from ${Math.max(1, compactRevision)}`],
    ['keys', `${keys}, with ${changes} changes and ${closed} ended versions in history`],
    ['leases', `${leases}, with ${count(attachments, 'key')}`],
    ['sessions', `${sessions}`],
    ['alarms', alarms === 0 ? 'none' : `${alarms} raised`],
  );
  return fields;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
