import { burst } from './alerts/burst.ts';
import { elasticAttacks, elasticHarmless, elasticInjections } from './alerts/elastic.ts';
import { hostile } from './alerts/hostile.ts';
import { duplicates, malformed, wrongTenant } from './alerts/invalid.ts';
import { sentinelAttacks, sentinelHarmless, sentinelInjections } from './alerts/sentinel.ts';
import { suricataAttacks, suricataHarmless, suricataInjections } from './alerts/suricata.ts';
import { wazuhAttacks, wazuhHarmless, wazuhInjections } from './alerts/wazuh.ts';
import type { CorpusAlert } from './corpus.ts';

/** All alerts, in the order in which they arrive. */
export const corpusAlerts: readonly CorpusAlert[] = [
  ...sentinelAttacks,
  ...elasticAttacks,
  ...suricataAttacks,
  ...wazuhAttacks,
  ...sentinelInjections,
  ...elasticInjections,
  ...suricataInjections,
  ...wazuhInjections,
  ...malformed,
  ...wrongTenant,
  ...duplicates,
  ...suricataHarmless,
  ...wazuhHarmless,
  ...elasticHarmless,
  ...sentinelHarmless,
  ...hostile,
  ...burst,
];
