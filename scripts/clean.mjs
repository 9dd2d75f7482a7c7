// Removes what `build`, `.ci/run` and coverage leave behind.
import { rmSync } from 'node:fs';

for (const folder of ['dist', 'reports', 'coverage']) {
  rmSync(new URL(`../${folder}`, import.meta.url), { recursive: true, force: true });
}
