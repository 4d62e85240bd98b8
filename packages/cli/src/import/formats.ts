import { limits } from '@tallystick/event';
import { mapCloudTrail } from './cloudtrail.ts';
import { ElementScanner } from './element-scanner.ts';
import { mapJsonLine } from './jsonl.ts';
import { mapKubernetesAudit } from './kubernetes.ts';
import { LineScanner } from './line-scanner.ts';
import type { Mapper } from './mapper.ts';
import type { Scanner } from './slice.ts';

export interface Format {
  readonly map: Mapper;
  createScanner(): Scanner;
  /** Whether a source event may contain its tenant, so that `--tenant` is not needed. */
  readonly namesTenant: boolean;
  /** Whether the id of an event may depend on how many equal lines came before it. */
  readonly countsEqualLines: boolean;
}

// An event contains the original text of its source, so a source event can't be larger than an event. Some smaller ones are
// still rejected after mapping, because a quote takes two bytes inside a string.
const maxBytes = limits.maxEventBytes;

export const formats = {
  jsonl: {
    map: mapJsonLine,
    createScanner: () => new LineScanner(maxBytes),
    namesTenant: true,
    countsEqualLines: true,
  },
  cloudtrail: {
    map: mapCloudTrail,
    createScanner: () => new ElementScanner({ listNames: ['Records'], maxBytes }),
    namesTenant: false,
    countsEqualLines: false,
  },
  'k8s-audit': {
    map: mapKubernetesAudit,
    createScanner: () => new ElementScanner({ listNames: ['items'], maxBytes }),
    namesTenant: false,
    countsEqualLines: false,
  },
} as const satisfies { readonly [name: string]: Format };

export type FormatName = keyof typeof formats;
export const formatNames = Object.keys(formats) as FormatName[];
