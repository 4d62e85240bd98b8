import { join } from 'node:path';
import {
  attackTrail,
  type RunningService,
  startService,
  type Target,
  takeEvidence,
} from 'tallystick/demo/story-parts';
import type { CatalogName } from '../models/named-catalog.ts';
import { platformTenant } from '../platform/tenants.ts';
import { answerApprovals, learnPatterns, receiveAlerts } from './acts.ts';
import { explain, type StoryParts } from './explain.ts';
import { Highlights, type Place } from './highlights.ts';
import { LiveView } from './live-view.ts';
import { startInOneProcess } from './one-process.ts';
import { startOverKafka } from './over-kafka.ts';
import { People } from './people.ts';
import { tenantsOf } from './scenario.ts';
import { conclude, type Stage, showNew } from './stage.ts';
import { unlessStopped } from './stopped.ts';
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
  readonly models: CatalogName;
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

/**
 * The platform at work, one investigation explained, and then an attacker who changes the trail.
 *
 * @throws {Stopped} if the demo is asked to end. Then the platform and the audit service have ended in good order.
 */
export async function tellStory(parts: StoryParts, options: StoryOptions): Promise<Told> {
  const { narrator, processContext } = parts;
  const { directory } = options;
  const { stopped } = processContext;
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
    stopped.throwIfAborted();
    victim = await victimOf(running, highlights);
    evidence = await takeEvidence(running, narrator, { directory, victim });
  }
  // Each attack is rolled back, and the next one is not begun after a signal.
  stopped.throwIfAborted();
  const attacksCaught = await unlessStopped(
    stopped,
    attackTrail(narrator, { trail: directory, victim, evidence }),
  );
  const { approved, quarantined } = highlights;
  return { approved, quarantined, attacksCaught, victim };
}

/** Everything that leaves records: alerts, decisions, approvals, and what is learnt from them. */
async function work(parts: StoryParts, running: RunningService, options: StoryOptions): Promise<Highlights> {
  const { narrator, processContext } = parts;
  const { directory, kafka, brokers, models } = options;
  const tenants = tenantsOf(options.tenants);
  const { client, url } = running;
  const platformOptions = { running, tenants, models, directory };
  const platform = kafka
    ? await startOverKafka(platformOptions, brokers, narrator)
    : await startInOneProcess(platformOptions);
  const ids = tenants.map(({ id }) => id);
  const stage: Stage = {
    ...{ platform, tenants, narrator, highlights: new Highlights() },
    people: await People.with(running),
    trail: new TrailReader(client, [...ids, platformTenant]),
    view: new LiveView(parts.terminal, ids),
  };
  try {
    const started = `audit service on ${url}, ${models} models, tenants: ${options.tenants}`;
    await narrator.done('start', started, { url, models, tenants: ids });
    await unlessStopped(processContext.stopped, acts(stage, options.alerts));
  } catch (error) {
    stage.view.clearStatus();
    await narrator.remark('The services are stopped, and deliver what they have.');
    await platform.stop();
    throw error;
  }
  await platform.stop();
  await showNew(stage);
  const { records, signed } = stage.trail.size;
  const chained = `${records} records chained, ${signed} of them signed; no event was lost`;
  await conclude(stage, 'chained', chained, { records, signed, lost: 0 });
  return stage.highlights;
}

async function acts(stage: Stage, alerts: number): Promise<void> {
  await receiveAlerts(stage, alerts);
  await answerApprovals(stage);
  await learnPatterns(stage);
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
