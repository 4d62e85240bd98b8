import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '@tallystick/sdk';
import { alertsOf, defaultAlerts, findings, repeatedScan, telemetryAt } from './scenario.ts';
import { conclude, type Stage, settled } from './stage.ts';

/** How long people look away from the desk, ms. */
const lookAgainMs = 50;

/** Alerts that come one after the other. */
const shownOneByOne = defaultAlerts;
/** As many of the further alerts come together. */
const burst = 20;

/** Everything comes in. The platform decides what it may decide alone. */
export async function receiveAlerts(stage: Stage, alerts: number): Promise<void> {
  const { narrator, platform, tenants, highlights } = stage;
  await narrator.chapter('Alerts, findings and telemetry come in, and the platform decides');
  await narrator.remark('Each line is a record: what, tenant, number of the alert, details.');
  const now = systemClock.now();
  for (const telemetry of telemetryAt(now)) await platform.feed.telemetry(telemetry);
  for (const finding of findings) await platform.feed.finding(finding);
  await settled(stage);
  let number = 0;
  for (const alert of alertsOf(alerts, tenants, now)) {
    await platform.feed.alert(alert);
    // A reader can follow the first alerts one by one. The others come in bursts.
    number += 1;
    if (number <= shownOneByOne || number % burst === 0) await settled(stage);
  }
  await settled(stage);
  const quarantined = highlights.countOf('injection.quarantined');
  const asked = highlights.countOf('approval.requested');
  await conclude(
    stage,
    'alerts',
    `${alerts} alerts: ${quarantined} kept from the models, ${asked} approvals asked so far`,
    { alerts, quarantined, approvals_requested: asked },
  );
}

/** People answer at the desk until nothing waits. An action that is done may lead to the next request. */
export async function answerApprovals(stage: Stage): Promise<void> {
  const { narrator } = stage;
  await narrator.chapter('Two people answer what waits at the approval desk');
  const { granted, denied } = await untilAnswered(stage);
  await conclude(stage, 'approvals', `mia and jo granted ${granted} times and denied ${denied} times`, {
    granted,
    denied,
  });
}

async function untilAnswered(stage: Stage): Promise<{ readonly granted: number; readonly denied: number }> {
  const { platform, people } = stage;
  const count = { granted: 0, denied: 0 };
  await settled(stage);
  while ((await platform.openPlans()) > 0) {
    const { granted, denied } = await people.answer();
    count.granted += granted;
    count.denied += denied;
    await pause(lookAgainMs);
    await settled(stage);
  }
  return count;
}

/** A batch reviews what was closed. Two people approve each pattern of false positives, and the next alert of its kind needs no model. */
export async function learnPatterns(stage: Stage): Promise<void> {
  const { narrator, platform, tenants, highlights } = stage;
  await narrator.chapter('A batch reviews what was closed, and two people approve what it learnt');
  await platform.review();
  for (const { id } of tenants) {
    for (const { pattern_id, state } of await platform.patternsOf(id)) {
      if (state !== 'proposed') continue;
      await platform.approvePattern(id, pattern_id, 'mia');
      await platform.approvePattern(id, pattern_id, 'jo');
    }
  }
  // The orchestrator must know the patterns before the next alert comes.
  await platform.settled();
  await platform.feed.alert(repeatedScan);
  // Without a pattern, this is an ordinary alert, and may wait for people.
  await untilAnswered(stage);
  const skipped = highlights.countOf('alert.short_circuited');
  const tiers = highlights.tiers;
  const calls = tiers.reduce((sum, tier) => sum + tier.calls, 0);
  const costs = tiers.map(({ tier, costUsd }) => `tier ${tier} $${costUsd.toFixed(4)}`).join(', ');
  await conclude(stage, 'models', `${calls} calls of models: ${costs}`, { tiers });
  await conclude(stage, 'skipped', `alerts closed by a pattern, without a model: ${skipped}`, { skipped });
}
