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

/** JSON Lines have no limit of their own: a line can't be larger than an event. */
const maxLineBytes = limits.maxEventBytes;
/** A CloudTrail record has at most 256 KB; the rest is room for white space. */
const maxRecordBytes = 1 << 20;
/** An audit event holds a request and a response at most, each of an object that etcd stores in 1.5 MiB, and white space. */
const maxAuditBytes = 8 << 20;

export const formats = {
  jsonl: {
    map: mapJsonLine,
    createScanner: () => new LineScanner(maxLineBytes),
    namesTenant: true,
    countsEqualLines: true,
  },
  cloudtrail: {
    map: mapCloudTrail,
    createScanner: () => new ElementScanner({ listNames: ['Records'], maxBytes: maxRecordBytes }),
    namesTenant: false,
    countsEqualLines: false,
  },
  'k8s-audit': {
    map: mapKubernetesAudit,
    createScanner: () => new ElementScanner({ listNames: ['items'], maxBytes: maxAuditBytes }),
    namesTenant: false,
    countsEqualLines: false,
  },
} as const satisfies { readonly [name: string]: Format };

export type FormatName = keyof typeof formats;
export const formatNames = Object.keys(formats) as FormatName[];
