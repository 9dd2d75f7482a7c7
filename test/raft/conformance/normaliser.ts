/**
 * Level L1 of the comparison: strict text without log lines. They are the reference's own words about
 * what it does, and ours has none.
 */
export function withoutLogLines(text: string): string {
  const lines = text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '' && !/^\s*(DEBUG|INFO|WARN|ERROR|FATAL) /.test(line));
  return lines.length === 0 ? 'ok' : lines.join('\n');
}
