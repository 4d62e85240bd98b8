import { isIP } from 'node:net';
import type { FoundText } from '../injection/strings-in.ts';
import type { EntityKind } from '../platform/alert.ts';
import type { FoundEntity } from './entities.ts';

/**
 * Finds addresses, hashes and domains in free text, where a source has no field for them. Each expression takes linear time: no part of
 * it can match the same text in two ways.
 */
const patterns: readonly {
  kind: EntityKind;
  confidence: number;
  expression: RegExp;
  accept?: (value: string) => boolean;
}[] = [
  { kind: 'filehash', confidence: 0.9, expression: /(?<![0-9A-Za-z])[0-9A-Fa-f]{64}(?![0-9A-Za-z])/g },
  { kind: 'filehash', confidence: 0.8, expression: /(?<![0-9A-Za-z])[0-9A-Fa-f]{40}(?![0-9A-Za-z])/g },
  // 32 hexadecimal digits are often an id and not an MD5 digest.
  { kind: 'filehash', confidence: 0.6, expression: /(?<![0-9A-Za-z-])[0-9A-Fa-f]{32}(?![0-9A-Za-z-])/g },
  {
    kind: 'ip',
    confidence: 0.8,
    expression: /(?<![\d.])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\d.]*\d)/g,
    accept: (value) => isIP(value) === 4,
  },
  {
    kind: 'ip',
    confidence: 0.8,
    expression: /(?<![0-9A-Fa-f:.])[0-9A-Fa-f:]{2,39}(?![0-9A-Za-z:])/g,
    accept: (value) => value.includes(':') && isIP(value) === 6,
  },
  {
    kind: 'dns',
    confidence: 0.5,
    expression: /(?<![\w.@/\\-])[A-Za-z0-9][A-Za-z0-9.-]{2,252}(?![\w-])/g,
    accept: isDomain,
  },
];

/** Top-level domains that occur in alerts. Any other ending is more often a file name or a version. */
const topLevelDomains = new Set(
  'com net org info biz io dev app cloud ai co me tv cc xyz top online site shop club icu ru cn de fr uk eu nl pl ua in jp kr br au ch at it es se no fi dk be cz ir onion su tk example test'.split(
    ' ',
  ),
);

function isDomain(text: string): boolean {
  const labels = text.replace(/\.$/, '').split('.');
  return (
    labels.length >= 2 &&
    topLevelDomains.has(labels.at(-1)!.toLowerCase()) &&
    labels.every((label) => /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(label))
  );
}

/** Longer texts are read up to this many characters. */
const maxTextLength = 64 * 1024;

/** Entities in free texts. Defanged forms such as `198[.]51[.]100[.]7` and `hxxp://` are read, too. */
export function entitiesInTexts(texts: readonly FoundText[]): FoundEntity[] {
  return texts.flatMap(({ where, text }) => {
    const readable = text.slice(0, maxTextLength).replaceAll('[.]', '.').replaceAll('[:]', ':');
    return patterns.flatMap(({ kind, confidence, expression, accept }) =>
      [...readable.matchAll(expression)]
        .map(([value]) => ({ kind, value, confidence, where }))
        .filter(({ value }) => accept === undefined || accept(value)),
    );
  });
}
