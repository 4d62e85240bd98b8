import { join } from 'node:path';
import {
  attackTrail,
  type RunningService,
  startService,
  type Target,
  takeEvidence,
} from 'tallystick/demo/story-parts';
import { platformTenant } from '../platform/tenants.ts';
import { answerApprovals, learnPatterns, receiveAlerts } from './acts.ts';
import { explain, type StoryParts } from './explain.ts';
import { Highlights, type Place } from './highlights.ts';
import { LiveView } from './live-view.ts';
import { startInOneProcess } from './one-process.ts';
import { startOverKafka } from './over-kafka.ts';
import { People } from './people.ts';
import { tenantsOf } from './scenario.ts';
import { conclude, showNew } from './stage.ts';
import { TrailReader } from './trail-reader.ts';

export interface StoryOptions {
  /** Directory of the trail. */
  readonly directory: string;
  readonly tenants: number;
  readonly alerts: number;
  /** Each service is a process of its own, over Kafka. */
  readonly kafka: boolean;
  /** `host:port` of a broker that runs already. @defaultValue one is started */
  readonly brokers: readonly string[] | undefined;
}

/** What a reader can ask about afterwards. */
export interface Told {
  readonly approved: Place | undefined;
  readonly quarantined: Place | undefined;
  readonly attacksCaught: number;
  /** The record that was attacked. */
  readonly victim: Target;
}

/** How often checkpoints are signed, so that the view shows them grow. */
const checkpointIntervalMs = 1_000;

export function directoriesOf(directory: string) {
  return { trail: directory, signer: join(directory, 'signer') };
}

/** The platform at work, one investigation explained, and then an attacker who changes the trail. */
export async function tellStory(parts: StoryParts, options: StoryOptions): Promise<Told> {
  const { narrator } = parts;
  const { directory } = options;
  let victim: Target;
  let highlights: Highlights;
  let evidence: Awaited<ReturnType<typeof takeEvidence>>;
  {
    await narrator.chapter(
      options.kafka
        ? 'Start the audit service, and the services as separate processes over Kafka'
        : 'Start the audit service and the eight services, in this process',
    );
    await using running = await startService(directoriesOf(directory), { checkpointIntervalMs });
    highlights = await work(parts, running, options);
    await explain(parts, running, highlights);
    victim = await victimOf(running, highlights);
    evidence = await takeEvidence(running, narrator, { directory, victim });
  }
  const attacksCaught = await attackTrail(narrator, { trail: directory, victim, evidence });
  const { approved, quarantined } = highlights;
  return { approved, quarantined, attacksCaught, victim };
}

/** Everything that leaves records: alerts, decisions, approvals, and what is learnt from them. */
async function work(
  { terminal, narrator }: StoryParts,
  running: RunningService,
  { directory, tenants: tenantCount, alerts, kafka, brokers }: StoryOptions,
): Promise<Highlights> {
  const tenants = tenantsOf(tenantCount);
  const { client, url } = running;
  const parts = { running, tenants, directory };
  const platform = kafka ? await startOverKafka(parts, brokers, narrator) : await startInOneProcess(parts);
  const started = `audit service on ${url}, offline models, tenants: ${tenantCount}`;
  await narrator.done('start', started, { url, tenants: tenants.map(({ id }) => id) });

  const read = [...tenants.map(({ id }) => id), platformTenant];
  const highlights = new Highlights();
  const view = new LiveView(
    terminal,
    tenants.map(({ id }) => id),
  );
  const people = await People.with(running);
  const stage = {
    platform,
    people,
    tenants,
    trail: new TrailReader(client, read),
    view,
    highlights,
    narrator,
  };
  await receiveAlerts(stage, alerts);
  await answerApprovals(stage);
  await learnPatterns(stage);
  await platform.stop();
  await showNew(stage);
  const { records, signed } = stage.trail.size;
  const chained = `${records} records chained, ${signed} of them signed; no event was lost`;
  await conclude(stage, 'chained', chained, { records, signed, lost: 0 });
  return highlights;
}

/** The record that the attacker changes: an approval, so that the person who gave it seems to have denied it. */
async function victimOf({ service, client }: RunningService, { approved }: Highlights): Promise<Target> {
  const { logName } = service.logs;
  if (approved !== undefined) return { tenantId: approved.tenantId, sequence: approved.sequence, logName };
  // With very few alerts nothing waits for people. Then it is any decision.
  const filters = { event_type: 'alert.classified', outcome_status: 'success' };
  const { events } = await client.events.list({ tenant_id: 'acme', filters, limit: 1 });
  return { tenantId: 'acme', sequence: Number(events[0]!.sequence_number), logName };
}
