import type { ServiceName } from '../soc.ts';

/** The services that are processes, in the order in which they are started. What others call comes first, and what starts the flow last. */
export const serviceNames = [
  'governance',
  'llm-router',
  'context-gateway',
  'response-agent',
  'orchestrator',
  'batch-scheduler',
  'ctem-normaliser',
  'atlas-detection',
  'entity-parser',
] as const satisfies readonly ServiceName[];

/** In which order services end: those first that call others. */
export const endingOrder: readonly (readonly ServiceName[])[] = [
  [
    'entity-parser',
    'ctem-normaliser',
    'atlas-detection',
    'orchestrator',
    'batch-scheduler',
    'response-agent',
  ],
  ['context-gateway'],
  ['llm-router', 'governance'],
];
