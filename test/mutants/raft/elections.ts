/** Defects of the core: votes, terms and timers. */
import type { Defect } from '../defect.js';

export const elections: readonly Defect[] = [
  {
    name: 'election: the vote of a term is cleared within it (H1)',
    file: 'raft.ts',
    find: '    if (term !== this.term) {\n      this.term = term;\n      this.vote = noMember;\n    }',
    replace: '    this.term = term;\n    this.vote = noMember;',
  },
  {
    name: 'election: two votes in a term',
    file: 'candidate.ts',
    find: '(raft.vote === noMember && raft.leader === noMember &&',
    replace: '(raft.leader === noMember &&',
  },
  {
    name: 'election: whoever knows a leader of the term votes',
    file: 'candidate.ts',
    find: '(raft.vote === noMember && raft.leader === noMember &&',
    replace: '(raft.vote === noMember &&',
  },
  {
    name: 'election: any log will do',
    file: 'candidate.ts',
    find: 'const granted = free && raft.log.isUpToDate(message.last);',
    replace: 'const granted = free;',
  },
  {
    name: 'election: the longer log wins, whatever its term',
    file: 'log.ts',
    find: 'return last.term > own.term || (last.term === own.term && last.index >= own.index);',
    replace: 'return last.index >= own.index;',
  },
  {
    name: 'election: the own vote counts before it is durable (S6)',
    file: 'candidate.ts',
    find: '    if (to === raft.id) voteForSelf(raft, kind);',
    replace: '    if (to === raft.id) raft.votes.set(to, true);',
  },
  {
    name: 'election: votes are asked for before the term is durable (O1)',
    file: 'raft.ts',
    find: 'if (this.eagerVoteRequests) this.messages.push(message);',
    replace: 'if (message.term > 0) this.messages.push(message);',
  },
  {
    name: 'election: a vote leaves before it is durable',
    file: 'raft.ts',
    find: "      case 'vote-response':\n      case 'pre-vote-response':",
    replace:
      "      case 'vote-response':\n        if (message.to !== this.id) {\n          this.messages.push(message);\n          break;\n        }\n        this.afterPersist.push(message);\n        break;\n      case 'pre-vote-response':",
  },
  {
    name: 'election: a later answer changes a vote',
    file: 'candidate.ts',
    find: 'if (!raft.votes.has(message.from)) raft.votes',
    replace: 'raft.votes',
  },
  {
    name: 'election: pre-votes of the last round count (H8)',
    file: 'raft.ts',
    find: '    this.votes.clear();\n    // Two that ask',
    replace: '    // Two that ask',
  },
  {
    name: 'election: a pre-candidate raises its term',
    file: 'candidate.ts',
    find: "  if (kind === 'pre-vote') raft.becomePreCandidate();",
    replace:
      "  if (kind === 'pre-vote') {\n    raft.becomeCandidate();\n    raft.becomePreCandidate();\n  }",
  },
  {
    name: 'election: an earlier pre-vote is not answered (H9)',
    file: 'term-gate.ts',
    find: "} else if (message.kind === 'pre-vote-request') {",
    replace: "} else if (message.kind === 'pre-vote-request' && term < 0) {",
  },
  {
    name: 'election: a pre-vote is granted in the own term (H10)',
    file: 'candidate.ts',
    find: 'const term = granted ? message.term : raft.term;',
    replace: 'const { term } = raft;',
  },
  {
    name: 'election: a granted pre-vote raises the term',
    file: 'term-gate.ts',
    find: 'if (!message.granted) raft.becomeFollower(message.term, noMember);',
    replace: 'raft.becomeFollower(message.term, noMember);',
  },
  {
    name: 'election: a pre-vote rejected in a later term is not heard',
    file: 'term-gate.ts',
    find: '      if (!message.granted) raft.becomeFollower(message.term, noMember);\n',
    replace: '',
  },
  {
    name: 'election: a leader of an earlier term is not told (H12)',
    file: 'term-gate.ts',
    find: "    raft.send({ kind: 'append-response', from, to, term, index: 0 });\n",
    replace: '',
  },
  {
    name: 'election: granting a vote does not reset the timer',
    file: 'candidate.ts',
    find: '    raft.electionElapsed = 0;\n    raft.vote',
    replace: '    raft.vote',
  },
  {
    name: 'election: hearing from the leader does not reset the timer',
    file: 'follower.ts',
    find: '  raft.electionElapsed = 0;\n  raft.leader = leader;',
    replace: '  raft.leader = leader;',
  },
  {
    name: 'election: the timeout is not drawn',
    file: 'raft.ts',
    find: 'electionTicks + randomInt(random, electionTicks)',
    replace: 'electionTicks + 0 * randomInt(random, electionTicks)',
  },
  {
    name: 'election: a pre-candidate keeps its timeout (O14)',
    file: 'raft.ts',
    find: '    // Two that ask at the same time would otherwise do so again and again (semantics O14).\n    this.#drawElectionTimeout();\n',
    replace: '',
  },
  {
    name: 'election: learners are asked',
    file: 'candidate.ts',
    find: '[...new Set([...voters, ...votersOutgoing])]',
    replace: '[...new Set([...voters, ...votersOutgoing, ...raft.configuration.learners])]',
  },
  {
    name: 'election: learners campaign (H13)',
    file: 'raft.ts',
    find: 'return isVoter(this.configuration, this.id) && this.log.pendingSnapshot === undefined;',
    replace: 'return this.progress.has(this.id) && this.log.pendingSnapshot === undefined;',
  },
  {
    name: 'election: a pending snapshot does not keep from campaigning (H19)',
    file: 'raft.ts',
    find: 'return isVoter(this.configuration, this.id) && this.log.pendingSnapshot === undefined;',
    replace: 'return isVoter(this.configuration, this.id);',
    equivalent:
      'While a snapshot is pending its index is committed and not applied, and the entries up to it ' +
      'cannot be read: the check for unapplied changes then refuses the campaign as well.',
  },
  {
    name: 'election: an unapplied change does not keep from campaigning (H35)',
    file: 'candidate.ts',
    find: ' || hasUnappliedConfChange(raft)) return;',
    replace: ') return;',
  },
  {
    name: 'election: the outgoing half has no say',
    file: 'quorum.ts',
    find: 'const outgoing = voteResult(halves.votersOutgoing, votes);',
    replace: 'const outgoing = voteResult([], votes);',
  },
  {
    name: 'election: a candidate ignores the winner',
    file: 'candidate.ts',
    find: '      raft.becomeFollower(message.term, message.from);\n      stepFollower(raft, message);',
    replace: '      return;',
  },
  {
    name: 'election: nobody learns of a committed change from messages about votes',
    file: 'raft.ts',
    find: '    hearCommit(this, message);\n',
    replace: '',
  },
  {
    name: 'election: what messages of an earlier term tell is dropped with them',
    file: 'term-gate.ts',
    find: '  hearCommit(raft, message);\n',
    replace: '',
  },
  {
    name: 'election: a refusal of an earlier term does not tell what is applied',
    file: 'term-gate.ts',
    find: "kind: 'vote-response', from, to, term, granted: false, ...commitByVote(raft) });",
    replace: "kind: 'vote-response', from, to, term, granted: false });",
  },
  {
    name: 'election: a campaign goes on that was counted with the voters of before',
    file: 'commit-by-vote.ts',
    find: "if (message.term > raft.term || raft.role !== 'follower') {",
    replace: 'if (message.term > raft.term) {',
  },
  {
    name: 'election: who hears of a commit goes on with a leader of an earlier term',
    file: 'commit-by-vote.ts',
    find: "if (message.term > raft.term || raft.role !== 'follower') {",
    replace: "if (raft.role !== 'follower') {",
  },
  {
    name: 'election: who asks tells of commits that it has not applied',
    file: 'commit-by-vote.ts',
    find: 'const index = keepsStandstills ? log.committed : log.applied;',
    replace: 'const index = log.committed;',
  },
];
