/** `npm run e2e -- faults`: progress on stderr, one JSON line on stdout at the end. */
import { runCampaign } from './campaign.ts';
import { readSettings } from './read-settings.ts';
import type { Settings } from './settings.ts';

let settings: Settings;
try {
  settings = readSettings(process.argv.slice(2), process.env);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(3);
}
const outcome = await runCampaign(settings, (line) => console.error(line));
console.log(JSON.stringify(outcome));
process.exit(outcome.failure === undefined ? 0 : 1);
