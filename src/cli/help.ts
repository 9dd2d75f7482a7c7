/**
 * What `kontiki --help` prints.
 */
export const help: string = `Usage: kontiki COMMAND

Commands:
  check DIR      verify the data directory of a stopped member, and change nothing:
                 its identity, and every record of its log
  wal dump DIR   print every record of a stopped member's log, up to its end
                 or its first damage, and change nothing

Options:
  -h, --help     print this
  -v, --version  print the version

Exit status: 0 all well, 1 damage found, 2 wrong usage or unreadable`;
