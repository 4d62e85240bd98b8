import {
  counted,
  duration,
  type Effect,
  type ModelTotal,
  type Participation,
  type Timeline,
  type TimelineRecord,
  type TimelineSummary,
  targetOf,
  textIn,
  usd,
} from '@tallystick/protocol';
import { missingText } from './missing-texts.ts';
import { type Naming, namingOf } from './naming.ts';
import { signsOf } from './record-lines.ts';

/** A part of the summary: its name, and one text per thing. */
export type Section = readonly [name: string, texts: readonly string[]];

/** The summary for people. Each question has an answer, also where the answer is that there is nothing. */
export function sectionsOf(timeline: Timeline, summary: TimelineSummary): Section[] {
  const { effects, missing } = summary;
  const nameOf = namingOf(timeline);
  const undone = effectTexts(effects, 'undone', nameOf);
  return [
    ['Models', orNone(modelTexts(summary.models), 'no call of a model is on record')],
    ['People', orNone(summary.people.map(personText), 'nobody decided anything')],
    ['Done', orNone(effectTexts(effects, 'done', nameOf), 'nothing')],
    ['Not done', orNone(effectTexts(effects, 'not_done', nameOf), 'nothing was refused, and nothing failed')],
    ...(undone.length > 0 ? [['Undone', undone] as const] : []),
    [
      'Quarantined',
      orNone(
        summary.quarantined.map((record) => quarantineText(record, nameOf)),
        'nothing',
      ),
    ],
    ['Missing', orNone(missing.map(missingText), completeText(timeline))],
  ];
}

function orNone(texts: readonly string[], none: string): readonly string[] {
  return texts.length === 0 ? [none] : texts;
}

function modelTexts(models: readonly ModelTotal[]): string[] {
  const texts = models.map(
    ({ model, calls, costUsd, inputTokens, outputTokens, latencyMs, withoutCost }) =>
      `${model}: ${counted(calls, 'call')}, ${usd(costUsd)}, ${inputTokens} tokens in, ${outputTokens} out, ${duration(latencyMs)}` +
      (withoutCost === 0 ? '' : `; the cost of ${counted(withoutCost, 'call')} is not on record`),
  );
  if (models.length < 2) return texts;
  const sum = (of: (total: ModelTotal) => number) => models.reduce((all, total) => all + of(total), 0);
  const calls = counted(
    sum(({ calls }) => calls),
    'call',
  );
  return [...texts, `together ${calls}, ${usd(sum(({ costUsd }) => costUsd))}`];
}

function personText({ person, did, latencyMs, comment, record }: Participation): string {
  const latency = latencyMs === undefined ? '' : ` after ${duration(latencyMs)}`;
  return `${person} ${did}${latency}${comment === undefined ? '' : `: ${comment}`} (#${record.sequence})`;
}

function effectTexts(effects: readonly Effect[], group: Effect['group'], nameOf: Naming): string[] {
  return effects
    .filter((effect) => effect.group === group)
    .map(({ action, target, ends, records }) => {
      const what = target === undefined || action.includes(target) ? action : `${action} ${nameOf(target)}`;
      return `${what}${group === 'done' ? '' : `: ${ends.join(', ')}`} (${numbersOf(records)})`;
    });
}

function quarantineText({ event, type, sequence }: TimelineRecord, nameOf: Naming): string {
  const target = targetOf(event);
  const signs = signsOf(event);
  const found = [
    ...(target === undefined ? [] : [nameOf(target)]),
    ...(signs.length > 0 ? [signs.join(', ')] : []),
  ];
  const why = textIn(event, 'decision', 'reasoning_summary') ?? found.join(': ');
  return `${type}: ${why} (#${sequence})`;
}

function completeText({ records, outside }: Timeline): string {
  const elsewhere =
    outside.size === 0 ? 'each cause is here' : 'each cause is here or elsewhere in the trail';
  return (
    `nothing that these ${counted(records.length, 'record')} show: each declared action has an end, ${elsewhere}, ` +
    'and no producer reported a loss'
  );
}

/** Most numbers in one line. */
const numbersShown = 10;

/** The numbers of records, as `#3, #7`. */
function numbersOf(records: readonly TimelineRecord[]): string {
  const shown = records.slice(0, numbersShown).map(({ sequence }) => `#${sequence}`);
  if (records.length > numbersShown) shown.push(`and ${records.length - numbersShown} more`);
  return shown.join(', ');
}
