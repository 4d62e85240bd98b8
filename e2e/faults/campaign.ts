import { until } from '@tallystick/testing';
import { drawFault, roundRandom } from './draw.ts';
import { faults } from './faults.ts';
import { redeliverAll, settleAccounts, verifyWhole } from './finale.ts';
import type { Settings } from './settings.ts';
import { Stage } from './stage.ts';

/** The result of a campaign. All counts from `lost` to `unverified` must be 0. */
export interface Outcome {
  readonly rounds: number;
  readonly acked: number;
  readonly stored: number;
  /** Acknowledged events that are not in the store. */
  readonly lost: number;
  readonly duplicates: number;
  readonly gaps: number;
  readonly genesis_extra: number;
  /** Chains that don't verify, or whose head or checkpoints contradict their records. */
  readonly unverified: number;
  /** Rounds that succeeded, by fault. */
  readonly by_fault: { readonly [fault: string]: number };
  /** Events that a producer sent again after their acknowledgement. */
  readonly repeated: number;
  readonly seed: number;
  readonly seconds: number;
  /** What went wrong; absent if nothing did. */
  readonly failure?: string;
  /** Directory of the logs; absent if nothing went wrong. */
  readonly logs?: string;
}

/** How long the first writers may take to join the group, ms. */
const startMs = 120_000;

/** Acknowledged events were not stored in time. */
class NotStored extends Error {}

/**
 * Runs rounds until one fails. Each round injects a fault, waits until the system has recovered, and checks the store.
 */
export async function runCampaign(settings: Settings, report: (line: string) => void): Promise<Outcome> {
  const started = performance.now();
  const byFault: Record<string, number> = {};
  const stage = await Stage.open(settings);
  let rounds = 0;
  let failure: unknown;
  let lost = 0;
  try {
    const names = chooseFaults(settings, stage, report);
    report(`seed ${settings.seed}; ready after ${seconds(started)} s; logs in ${stage.dir}`);
    await stage.fleet.healthy(stage.topic.partitions, startMs);
    const end = settings.startRound + settings.rounds;
    for (let round = settings.startRound; round < end; round++) {
      const chosen = drawFaults(names, settings, round);
      const times = await runRound(stage, chosen, round);
      rounds++;
      for (const name of chosen) byFault[name] = (byFault[name] ?? 0) + 1;
      const { acknowledged } = stage.traffic;
      report(`round ${round}  ${chosen.join(' + ').padEnd(33)}${times}  ${acknowledged.length} acknowledged`);
    }
    await stage.endTraffic();
    await settle(stage);
    await settleAccounts(stage, report);
    await verifyWhole(stage, report);
    await redeliverAll(stage, report);
  } catch (error) {
    failure = error;
    if (error instanceof NotStored) lost = await countLost(stage, report);
  }
  const { check, traffic } = stage;
  const outcome: Outcome = {
    rounds,
    acked: traffic.acknowledged.length,
    stored: check.stored,
    lost,
    duplicates: check.duplicates,
    gaps: check.gaps,
    genesis_extra: check.extraGeneses,
    unverified: check.unverified,
    by_fault: byFault,
    repeated: traffic.repeated,
    seed: settings.seed,
    seconds: Number(seconds(started)),
    ...(failure !== undefined && { failure: describe(failure), logs: stage.dir }),
  };
  await stage.close(failure !== undefined);
  return outcome;
}

/** The faults of a round: the one that is drawn and, with `--at-once 2`, another one that harms something else. */
function drawFaults(names: readonly string[], settings: Settings, round: number): string[] {
  const first = drawFault(names, settings.seed, round);
  if (settings.atOnce === 1) return [first];
  const others = names.map((_, at) => drawFault(names, settings.seed + 1, round + at));
  const second = others.find((name) => faults[name]!.to !== faults[first]!.to);
  return second === undefined ? [first] : [first, second];
}

/** @returns how long the parts of the round took */
async function runRound(stage: Stage, names: readonly string[], round: number): Promise<string> {
  try {
    const began = performance.now();
    stage.traffic.addVisitor(`visitor-${round}`, 4);
    const { seed } = stage.settings;
    await Promise.all(names.map((name, at) => faults[name]!.inject(stage, roundRandom(seed + at, round))));
    const fault = seconds(began);
    const rest = await settle(stage);
    return `${seconds(began).padStart(5)} s (fault ${fault}, ${rest})`;
  } catch (error) {
    const where = `round ${round}, ${names.join(' + ')}: `;
    if (error instanceof Error) error.message = where + error.message;
    throw error;
  }
}

/**
 * Waits until all events acknowledged so far are stored and every writer is healthy, then checks the store.
 *
 * @returns how long each part took
 */
async function settle(stage: Stage): Promise<string> {
  const { check, traffic, fleet } = stage;
  const { recoveryMs } = stage.settings;
  let began = performance.now();
  const count = traffic.acknowledged.length;
  await until(async () => (await stage.storedUpTo(count)) || check.problems.length > 0, {
    timeoutMs: recoveryMs,
    intervalMs: 250,
  }).catch((error: unknown) => {
    const missing = check.missing(count);
    if (missing.length === 0) throw error;
    throw new NotStored(`${missing.length} acknowledged events were not stored within ${recoveryMs} ms`);
  });
  const stored = seconds(began);
  began = performance.now();
  await fleet.healthy(stage.topic.partitions, recoveryMs);
  const healthy = seconds(began);
  began = performance.now();
  // Read before the store, so that the store has at least the records that are signed.
  const signed = stage.signedTrees();
  await stage.withStore((query) => check.compare(query, signed));
  const problems = [...check.problems, ...traffic.faults, ...fleet.problems()];
  if (problems.length > 0) throw new Error(problems.slice(0, 10).join('\n'));
  return `stored ${stored}, healthy ${healthy}, checked ${seconds(began)}`;
}

/** Events that were not stored in time are late or lost. Waits until the writers have read all messages; the rest is lost. */
async function countLost(stage: Stage, report: (line: string) => void): Promise<number> {
  const { traffic, fleet, topic, check } = stage;
  const readEverything = async () => {
    await traffic.stop();
    await fleet.healthy(topic.partitions, startMs);
    await fleet.readAll(startMs);
  };
  await readEverything().catch((error) => report(`not all messages were read: ${describe(error)}`));
  const { length: count } = traffic.acknowledged;
  await stage.storedUpTo(count).catch(() => false);
  const missing = check.missing(count);
  report(`lost: ${missing.length}, ${missing.slice(0, 5).join(', ')}`);
  return missing.length;
}

/** The configured faults that this machine can inject. */
function chooseFaults(settings: Settings, stage: Stage, report: (line: string) => void): string[] {
  const names = settings.only ?? Object.keys(faults);
  const possible = names.filter((name) => {
    const needs = faults[name]?.needs;
    return needs === undefined || stage[needs] !== undefined;
  });
  const impossible = names.filter((name) => !possible.includes(name));
  if (impossible.length > 0) {
    report(
      `WARNING: this machine can't inject ${impossible.join(', ')}: a C compiler, or the right to mount, is missing`,
    );
    if (settings.requireAll)
      throw new Error(`REQUIRE_ALL is set, and ${impossible.join(', ')} can't be injected`);
  }
  return possible;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message} (${describe(error.cause)})`;
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1_000).toFixed(1);
}
