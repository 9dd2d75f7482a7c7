/**
 * What `kontiki --help` prints.
 */
export const help: string = `Usage: kontiki COMMAND

Commands:
  check DIR      verify the data directory of a stopped member, and change nothing:
                 its identity, every record of its log and of its state,
                 every snapshot, and that they fit together
  wal dump DIR   print every record of a stopped member's log, up to its end
                 or its first damage, and change nothing
  snapshot save FILE --dir DIR [--token T]
                 write a backup of a stopped member to a file that does not exist,
                 by way of FILE.tmp
  snapshot status FILE
                 verify a backup, and print its hash, revision, keys and size
  snapshot restore FILE --dir DIR [--name N] [--cluster A=HOST:PORT,...]
                   [--token T] [--bump-revision N]
                 make the data directory of one member of a new cluster
  sim            run simulated clusters through faults, and tell what broke:
                 'kontiki sim --help' lists its options

Options:
  -h, --help     print this
  -v, --version  print the version

Exit status: 0 all well, 1 damage or a violation found, 2 wrong usage, unreadable
or an answer that could not be written`;

/** What `kontiki sim --help` prints. @param profiles - that there are */
export function simHelp(profiles: readonly { readonly name: string; readonly about: string }[]) {
  const list = profiles.map(({ name, about }) => `  ${name.padEnd(12)} ${about}`);
  return `Usage: kontiki sim [OPTIONS]

Options:
  --seed N       the first seed (default: 1); equal seeds, with equal code, give equal runs
  --seeds COUNT  how many seeds (default: one, or as many as fit into --for)
  --for TIME     real time after which no further seed begins, such as 10m
  --profile P    what is run (default: standard)
  --shrink       make the scenario of a violation smaller, and print it as a test
  --out DIR      write what is found there: the run as JSON, the scenario as a test
  -h, --help     print this

Profiles:
${list.join('\n')}

Exit status: 0 every invariant held, 1 one was broken, 2 wrong usage`;
}
