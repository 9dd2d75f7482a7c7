// Prints `N passed, N failed, N skipped` from the JSON report named on the command line. Exits with 1
// when the report tells of a failure or of no test at all, so that an empty run is never a green one.
import { readFileSync } from 'node:fs';

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const states = report.testResults.flatMap((file) => {
  const own = file.assertionResults.map((result) => result.status);
  // A file that could not be loaded, or whose hooks failed, counts although none of its tests does.
  return file.status === 'failed' && !own.includes('failed') ? [...own, 'failed'] : own;
});
const count = (...names) => states.filter((state) => names.includes(state)).length;

const passed = count('passed');
const failed = count('failed');
const skipped = count('skipped', 'pending', 'todo', 'disabled');

console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = report.success && failed === 0 && passed > 0 ? 0 : 1;
