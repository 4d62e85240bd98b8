import { until } from '@tallystick/testing';
import { drawFault, roundRandom } from './draw.ts';
import { faults } from './faults.ts';
import { redeliverAll, settleAccounts, verifyWhole } from './finale.ts';
import type { Settings } from './settings.ts';
import { Stage } from './stage.ts';

/** What a campaign says at its end. Everything but the first three, and `by_fault`, must be 0. */
export interface Outcome {
  readonly rounds: number;
  readonly acked: number;
  readonly stored: number;
  /** Acknowledged and not in the store. */
  readonly lost: number;
  readonly duplicates: number;
  readonly gaps: number;
  readonly genesis_extra: number;
  /** Chains that don't verify, or whose head or checkpoints say otherwise. */
  readonly unverified: number;
  /** Rounds that ended well, by fault. */
  readonly by_fault: { readonly [fault: string]: number };
  /** Events that were handed over again by their producer. */
  readonly repeated: number;
  readonly seed: number;
  readonly seconds: number;
  /** What is wrong, in words; absent where nothing is. */
  readonly failure?: string;
  /** Where the logs are, where something is wrong. */
  readonly logs?: string;
}

/** How long the first writers may take until they have joined, ms. */
const startMs = 120_000;

/** Acknowledged events did not come in time. */
class NotStored extends Error {}

/** Runs rounds until one goes wrong: each does a fault, waits until the system has caught up, and checks everything. */
export async function runCampaign(settings: Settings, say: (line: string) => void): Promise<Outcome> {
  const started = performance.now();
  const byFault: Record<string, number> = {};
  const stage = await Stage.open(settings);
  let rounds = 0;
  let failure: unknown;
  let lost = 0;
  try {
    const names = chooseFaults(settings, stage, say);
    say(`seed ${settings.seed}; ready after ${seconds(started)} s; logs in ${stage.dir}`);
    await stage.fleet.healthy(stage.topic.partitions, startMs);
    const end = settings.startRound + settings.rounds;
    for (let round = settings.startRound; round < end; round++) {
      const chosen = drawFaults(names, settings, round);
      const times = await runRound(stage, chosen, round);
      rounds++;
      for (const name of chosen) byFault[name] = (byFault[name] ?? 0) + 1;
      const { acknowledged } = stage.traffic;
      say(`round ${round}  ${chosen.join(' + ').padEnd(33)}${times}  ${acknowledged.length} acknowledged`);
    }
    await stage.endTraffic();
    await settle(stage);
    await settleAccounts(stage, say);
    await verifyWhole(stage, say);
    await redeliverAll(stage, say);
  } catch (error) {
    failure = error;
    if (error instanceof NotStored) lost = await countLost(stage, say);
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

/** The fault whose turn it is, and, if there are to be two, the first one after it in the bag that can be done with it. */
function drawFaults(names: readonly string[], settings: Settings, round: number): string[] {
  const first = drawFault(names, settings.seed, round);
  if (settings.atOnce === 1) return [first];
  const others = names.map((_, at) => drawFault(names, settings.seed + 1, round + at));
  const second = others.find((name) => faults[name]!.to !== faults[first]!.to);
  return second === undefined ? [first] : [first, second];
}

/** @returns how long its parts took */
async function runRound(stage: Stage, names: readonly string[], round: number): Promise<string> {
  try {
    const began = performance.now();
    stage.traffic.addVisitor(`visitor-${round}`, 4);
    const { seed } = stage.settings;
    await Promise.all(names.map((name, at) => faults[name]!.inject(stage, roundRandom(seed + at, round))));
    const harm = seconds(began);
    const rest = await settle(stage);
    return `${seconds(began).padStart(5)} s (harm ${harm}, ${rest})`;
  } catch (error) {
    const where = `round ${round}, ${names.join(' + ')}: `;
    if (error instanceof Error) error.message = where + error.message;
    throw error;
  }
}

/**
 * Waits until what was acknowledged so far is stored and every writer is well again, then checks all that there is.
 *
 * @returns how long that took
 */
async function settle(stage: Stage): Promise<string> {
  const { check, traffic, fleet } = stage;
  const { patienceMs } = stage.settings;
  let began = performance.now();
  const count = traffic.acknowledged.length;
  await until(async () => (await stage.storedUpTo(count)) || check.problems.length > 0, {
    timeoutMs: patienceMs,
    intervalMs: 250,
  }).catch((error: unknown) => {
    const missing = check.missing(count);
    if (missing.length === 0) throw error;
    throw new NotStored(`${missing.length} acknowledged events were not stored within ${patienceMs} ms`);
  });
  const stored = seconds(began);
  began = performance.now();
  await fleet.healthy(stage.topic.partitions, patienceMs);
  const well = seconds(began);
  began = performance.now();
  // Read before the store: whatever was signed had been committed by then.
  const signed = stage.signedHeads();
  await stage.withStore((query) => check.compare(query, signed));
  const problems = [...check.problems, ...traffic.faults, ...fleet.problems()];
  if (problems.length > 0) throw new Error(problems.slice(0, 10).join('\n'));
  return `stored ${stored}, well ${well}, checked ${seconds(began)}`;
}

/** Events that did not come in time are late, or lost: has the writers read all there is, and counts what is still missing. */
async function countLost(stage: Stage, say: (line: string) => void): Promise<number> {
  const { traffic, fleet, topic, check } = stage;
  const quiet = async () => {
    await traffic.stop();
    await fleet.healthy(topic.partitions, startMs);
    await fleet.readAll(startMs);
  };
  await quiet().catch((error) => say(`not all messages were read: ${describe(error)}`));
  const { length: count } = traffic.acknowledged;
  await stage.storedUpTo(count).catch(() => false);
  const missing = check.missing(count);
  say(`missing for good: ${missing.length}, ${missing.slice(0, 5).join(', ')}`);
  return missing.length;
}

/** The faults that were asked for and that this machine can do. */
function chooseFaults(settings: Settings, stage: Stage, say: (line: string) => void): string[] {
  const names = settings.only ?? Object.keys(faults);
  const able = names.filter((name) => {
    const needs = faults[name]?.needs;
    return needs === undefined || stage[needs] !== undefined;
  });
  const unable = names.filter((name) => !able.includes(name));
  if (unable.length > 0) {
    say(
      `WARNING: this machine can't do ${unable.join(', ')}: a C compiler, or root's right to mount, is missing`,
    );
    if (settings.requireAll) throw new Error(`REQUIRE_ALL is set, and ${unable.join(', ')} can't be done`);
  }
  return able;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message} (${describe(error.cause)})`;
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1_000).toFixed(1);
}
