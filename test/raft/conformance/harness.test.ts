// Goal: the harness of the scenario files can fail. What it compares, what it checks beside the text,
// and the cases of the files' grammar that no present file uses.
import { describe, expect, test } from 'vitest';
import { RaftLog } from '../../../src/raft/log.js';
import { runDirectives } from '../datadriven.js';
import { goQuote } from './go-quote.js';
import { MembershipCases } from './membership-cases.js';
import { withoutLogLines } from './normaliser.js';
import { runQuorumCase } from './quorum-cases.js';
import { Relabelling } from './relabelling.js';
import { runScenario } from './run-scenario.js';
import { ScenarioStorage } from './scenario-storage.js';
import { ShadowLog } from './shadow-log.js';
import { plainVariant, variants } from './variant.js';

const names = new Relabelling();

const runQuorum = (text: string): void =>
  runDirectives('own', text, (directive) => runQuorumCase(directive, names));

const runMembership = (text: string): void => {
  const cases = new MembershipCases(names);
  runDirectives('own', text, (directive) => cases.run(directive));
};

const options = { variant: plainVariant, asReference: true };
const run = (text: string): string[] => runScenario({ name: 'own', text }, options);

describe('quorum cases', () => {
  test('another answer than the file says -> fails', () => {
    expect(() => runQuorum('vote cfg=(1) votes=(y)\n----\nVoteLost\n')).toThrow('own:1');
  });

  test('two halves -> the picture is of both', () => {
    runQuorum(`committed cfg=(1,2) cfgj=(2,10) idx=(7,_,12)
----
       idx
x>       7    (id=1)
?        0    (id=2)
xx>     12    (id=a)
0

committed cfgj=zero
----
<empty majority quorum>∞
`);
  });
});

describe('membership cases', () => {
  test('another answer than the file says -> fails', () => {
    expect(() => runMembership('simple\nv1\n----\nvoters=(1)\n')).toThrow('own:1');
    expect(() => runMembership('simple\nx1\n----\n')).toThrow('got x1');
  });

  test('member 0 and updates -> change nothing', () => {
    runMembership(`simple
v1 r0 v0 l0
----
voters=(1)
1: StateProbe match=0 next=1

simple
u1 u2
----
voters=(1)
1: StateProbe match=0 next=1
`);
  });

  test('removed and added within a change -> starts anew, unless the outgoing half kept it', () => {
    runMembership(`simple
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
`);
  });
});

describe('scenarios', () => {
  const start = 'add-nodes 1 voters=(1) index=2\n----\nok\n\n';

  test('another answer than the file says -> fails, with the place', () => {
    expect(() => run(`${start}propose 1 x\n----\nok\n`)).toThrow('own:5: propose');
  });

  test('log lines -> not compared; errors -> compared', () => {
    run(`add-nodes 1 voters=(1) index=2\n----\nINFO newRaft 1 [peers: [1]]\n`);
    run(`${start}propose 1 x\n----\nINFO why  \nraft proposal dropped\n`);
    expect(withoutLogLines('> 1 receiving\n  WARN x\n\n  a \n')).toBe('> 1 receiving\n  a');
    expect(withoutLogLines('INFORMATION\nINFO x')).toBe('INFORMATION');
  });

  test('level none -> only errors are shown, and a level for one command ends with it', () => {
    run(`${start}stabilize log-level=None
----
ok

raft-state
----
1: StateFollower (Voter) Term:0 Lead:0

log-level NONE
----
ok

raft-state
----
ok

deliver-msgs 1
----
ok

propose 1 x
----
raft proposal dropped
`);
  });

  test('commands without work -> say so', () => {
    run(`${start}process-append-thread 1
----
no append work to perform

process-apply-thread 1
----
no apply work to perform

deliver-msgs 1 drop=(2)
----
no messages

_breakpoint
----
ok

status 1
----
ok

add-nodes 1 voters=(1) index=1
----
index must be specified as > 1 due to bootstrap

add-nodes 1 content=abc index=5
----
ok

raft-log 2
----
log is empty: first index=6, last index=5
`);
  });

  test.each([
    ['unknown', 'no such command'],
    ['propose 1 a b', 'expected member data'],
    ['propose 7 a', 'expected one of 1, got 7'],
    ['log-level loud', 'log levels must be either of'],
    ['deliver-msgs 1 drop=1', '1 is named twice'],
    ['set-randomized-election-timeout 1 timeout=0', 'expected timeout=n'],
    ['propose-conf-change 1 v1=true\nv2 v3', 'only have one operation'],
    ['add-nodes 1 voter=(1)', 'expected a known option, got voter'],
    ['compact 1 2', 'unavailable due to compaction'],
    ['restart 1 now', 'got now'],
  ])('%j -> refused', (command, message) => {
    expect(() => run(`${start}${command}\n----\nok\n`)).toThrow(message);
  });

  test('a timeout that the core would not draw -> stands until it draws one', () => {
    run(`${start}set-randomized-election-timeout 1 timeout=9
----
ok

tick 1 8
----
ok

raft-state
----
1: StateFollower (Voter) Term:0 Lead:0

tick 1 1
----
ok

raft-state
----
1: StateCandidate (Voter) Term:1 Lead:0
`);
  });
});

describe('variants', () => {
  test('numbers inside are others, and shown as the file has them', () => {
    const shifted = new Relabelling(variants.at(-1)!.numbers);
    expect([1, 2, 3, 4].map((label) => shifted.id(label))).toEqual([7, 300, 2 ** 40, 2 ** 53 - 61]);
    expect(shifted.label(300)).toBe(2);
    expect(shifted.index(10)).toBe(2 ** 40 + 10);
    expect([0, 1, 2 ** 40 + 10].map((index) => shifted.shownIndex(index))).toEqual([0, 1, 10]);
    expect([0, 2 ** 33, 2 ** 33 + 3].map((term) => shifted.shownTerm(term))).toEqual([0, 0, 3]);
    expect([0, 2 ** 33, 2 ** 33 + 3].map((term) => shifted.shownLogTerm(term))).toEqual([0, 1, 3]);
    expect(() => shifted.label(8)).toThrow('no member with id 8');
  });

  test('values are frozen where they are to be', () => {
    const frozen = variants.filter((variant) => variant.freeze).map(({ name }) => name);
    expect(frozen).toEqual(['frozen values', 'all of it, other chances']);
  });
});

describe('shadow log', () => {
  const setUp = () => {
    const storage = new ScenarioStorage({
      hardState: { term: 1, vote: 0, commit: 0 },
      base: { term: 1, index: 5 },
      configuration: { voters: [1] },
    });
    const entry = (term: number, text: string) =>
      ({ term, index: 6, type: 'normal', data: new TextEncoder().encode(text) }) as const;
    const log = new RaftLog(storage, Infinity, false);
    return { storage, entry, log, shadow: new ShadowLog(log) };
  };

  test('the disk has what was accepted -> holds', () => {
    const { storage, entry, log, shadow } = setUp();
    log.append([entry(1, 'a')]);
    shadow.check();
    storage.write({ entries: [entry(1, 'a')], mustSync: true });
    log.stableTo({ term: 1, index: 6 });
    shadow.check();
  });

  test.each([
    [2, 'a'],
    [1, 'b'],
  ])('the disk has another entry, term %d %s -> found', (term, text) => {
    const { storage, entry, log, shadow } = setUp();
    log.append([entry(1, 'a')]);
    storage.write({ entries: [entry(term, text)], mustSync: true });
    shadow.check();
    log.stableTo({ term: 1, index: 6 });
    expect(() => shadow.check()).toThrow('the log as the core reads it');
  });

  test('bytes changed in place -> found', () => {
    const { entry, log, shadow } = setUp();
    const accepted = entry(1, 'a');
    log.append([accepted]);
    accepted.data[0] = 0x62;
    expect(() => shadow.check()).toThrow('the log as the core reads it');
  });
});

describe('storage', () => {
  test('power fails -> what needed no sync is gone, what did is there with all before it', () => {
    const storage = new ScenarioStorage({
      hardState: { term: 0, vote: 0, commit: 0 },
      base: { term: 1, index: 5 },
      configuration: { voters: [1] },
    });
    const states = [1, 2, 3].map((commit) => ({ term: 1, vote: 1, commit }));
    storage.write({ hardState: states[0]!, entries: [], mustSync: false });
    storage.write({ hardState: states[1]!, entries: [], mustSync: true });
    storage.write({ hardState: states[2]!, entries: [], mustSync: false });
    storage.restart({ configuration: { voters: [1] }, loseUnsynced: false });
    expect(storage.initialState().hardState).toEqual(states[2]);
    storage.restart({ configuration: { voters: [1] }, loseUnsynced: true });
    expect(storage.initialState().hardState).toEqual(states[1]);
  });
});

test.each([
  [[...'a"\\\n\x01é'].join(''), '"a\\"\\\\\\n\\x01é"'],
  ['', '""'],
])('quoted: %j', (text, quoted) => {
  expect(goQuote(new TextEncoder().encode(text))).toBe(quoted);
  expect(goQuote(Uint8Array.of(0x41, 0xff, 0x22))).toBe('"A\\xff\\""');
});
