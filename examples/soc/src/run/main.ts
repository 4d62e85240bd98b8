/** Runs the platform over an embedded trail: alerts come in, people decide, and the trail stays in a directory for `tally`. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type AuditEmitter, createAuditEmitter, systemClock } from '@tallystick/sdk';
import { embedded, embeddedDesk, transportOf } from '@tallystick/server/embedded';
import { SimulatedPlant } from '../actuators/simulated-plant.ts';
import { corpusAlerts } from '../corpus/alerts.ts';
import { Feed } from '../corpus/feed.ts';
import { corpusFindings } from '../corpus/findings.ts';
import { generateAlerts } from '../corpus/generator.ts';
import { corpusTelemetry } from '../corpus/telemetry.ts';
import { ListedIndicators } from '../governance/indicators.ts';
import { offlineCatalog } from '../models/catalogs.ts';
import type { StoredInvestigation } from '../orchestrator/investigation-states.ts';
import { ArtifactDirectory } from '../platform/artifacts.ts';
import { MemoryDocuments } from '../platform/documents.ts';
import { createIds } from '../platform/ids.ts';
import { MemoryTopics } from '../platform/memory-topics.ts';
import { type SocEmitter, taxonomy } from '../platform/recorder.ts';
import { defaultSettings } from '../platform/settings.ts';
import { TenantDirectory } from '../platform/tenants.ts';
import { minimumApprovalRules } from '../response-agent/response-policy.ts';
import { Soc } from '../soc.ts';
import { LiveView } from './live-view.ts';
import { decideWaiting } from './people.ts';
import { watchedEmitter } from './watched-emitter.ts';

const usage =
  'usage: npm run soc -- [--data DIRECTORY] [--alerts N], where N is a whole number from 1 to 100000';
const { data, count } = readOptions();
const directory = data ?? mkdtempSync(join(tmpdir(), 'soc-'));
const print = (line: string) => console.log(line);
const view = new LiveView(print, process.stdout.columns);

const transport = await embedded({ directory });
const desk = embeddedDesk(transport.service, { subject: 'response-agent' });
const settings = structuredClone(defaultSettings);
const tenants = new TenantDirectory([
  { id: 'acme', tier: 'premium', shadow: false },
  { id: 'globex', tier: 'standard', shadow: false },
]);
await desk.setRules('*', '*', minimumApprovalRules(settings));

const emitters: AuditEmitter<typeof taxonomy, undefined>[] = [];
const topics = new MemoryTopics();
const ids = createIds(systemClock);
const investigations = new MemoryDocuments<StoredInvestigation>();
const soc = new Soc({
  topics,
  ids,
  clock: systemClock,
  settings,
  tenants,
  auditOf: (service) => {
    // Each service has its own emitter, and all of them share the trail.
    const emitter = createAuditEmitter({ service, taxonomy, transport: transportOf(transport.service) });
    emitters.push(emitter as unknown as AuditEmitter<typeof taxonomy, undefined>);
    return watchedEmitter(emitter as unknown as SocEmitter, (type, event) => view.watch(type, event));
  },
  catalog: offlineCatalog(),
  artifacts: new ArtifactDirectory(join(directory, 'artifacts')),
  actuators: new SimulatedPlant(),
  intelligence: new ListedIndicators(),
  desk,
  investigations,
  onError: (error) => console.error(error),
});
const feed = new Feed(topics, ids);
await view.follow(topics);
const finish = async () => {
  const reports = await Promise.all(emitters.map((emitter) => emitter.close()));
  await transport.close();
  return reports.reduce(
    (sum, { rejected, dropped, unconfirmed }) => sum + rejected + dropped + unconfirmed,
    0,
  );
};
// What was emitted before Ctrl-C is delivered.
process.once('SIGINT', () => void finish().finally(() => process.exit(130)));
await soc.start();

for (const telemetry of corpusTelemetry) await feed.telemetry(telemetry);
for (const finding of corpusFindings) await feed.finding(finding);
const generated = generateAlerts({
  seed: 1,
  tenants: ['acme', 'globex'],
  from: systemClock.now() - count * 1_000,
});
for (let number = 0; number < count; number++) {
  await feed.alert(corpusAlerts[number] ?? generated.next().value);
}
await soc.settled();
while (soc.responseAgent.openPlans > 0) {
  for (const { id } of tenants.all()) {
    for (const { intentId, text } of await decideWaiting(desk, id)) {
      view.show('desk', id, `${text}: ${view.titleOf(intentId)}`);
    }
  }
  await pause(50);
  await soc.settled();
}
await soc.batchScheduler.flush();
await soc.settled();
await soc.stop();
const lost = await finish();

const [example] = (await investigations.list('acme')).filter(
  ({ investigation }) => investigation.verdict === 'true_positive' && investigation.state === 'closed',
);
print('');
if (lost > 0) print(`${lost} events are not in the trail: they were refused, dropped or not confirmed.`);
print(`${count} alerts. Everything that was decided and done is in the trail in ${directory}. Look at it:`);
print('');
print(`  npx tally --data ${directory} tenants`);
if (example !== undefined) {
  const id = example.investigation.investigation_id;
  print(`  npx tally --data ${directory} timeline --tenant acme ${id}`);
  print(`  npx tally --data ${directory} events --tenant acme --investigation ${id}`);
}
print(`  npx tally --data ${directory} events --tenant acme --type injection.quarantined`);
print(`  npx tally --data ${directory} approvals list --tenant acme --state all`);
print(`  npx tally --data ${directory} verify --tenant acme`);

function readOptions(): { data: string | undefined; count: number } {
  try {
    const { values } = parseArgs({
      options: { data: { type: 'string' }, alerts: { type: 'string', default: '40' } },
    });
    if (!/^[1-9]\d{0,4}$|^100000$/.test(values.alerts)) throw new Error('--alerts takes a whole number');
    return { data: values.data, count: Number(values.alerts) };
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage}`);
    process.exit(3);
  }
}
