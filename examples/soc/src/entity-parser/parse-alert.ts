import { createHash } from 'node:crypto';
import { injectionSigns } from '../injection/injection-signs.ts';
import { stringsIn } from '../injection/strings-in.ts';
import { type Alert, type AlertSource, alertSources, type RawAlert } from '../platform/alert.ts';
import type { Settings } from '../platform/settings.ts';
import { RejectedMessage } from '../platform/topics.ts';
import { mergeEntities } from './entities.ts';
import { readElastic } from './sources/elastic.ts';
import { readSentinel } from './sources/sentinel.ts';
import type { SourceAlert } from './sources/source-alert.ts';
import { readSuricata } from './sources/suricata.ts';
import { readWazuh } from './sources/wazuh.ts';
import { entitiesInTexts } from './text-patterns.ts';

const readers: Record<AlertSource, (payload: unknown) => SourceAlert> = {
  sentinel: readSentinel,
  elastic: readElastic,
  suricata: readSuricata,
  wazuh: readWazuh,
};

const techniquePattern = /^(?:T\d{4}(?:\.\d{3})?|AML\.T\d{4}(?:\.\d{3})?)$/;

/**
 * Makes an alert of any source into the platform's own form. Entities come from the fields of the source and, with less confidence, from
 * title and description. Every text of the payload is searched for signs of prompt injection.
 *
 * @throws {RejectedMessage} `SOURCE_UNKNOWN`, `ALERT_TOO_DEEP`, `ALERT_TOO_LARGE` or `ALERT_TIME_INVALID`
 * @throws {z.ZodError} for an alert that does not have the form of its source
 */
export function parseAlert(
  tenantId: string,
  { source, payload }: RawAlert,
  settings: Settings['alerts'],
): Alert {
  const known = alertSources.find((name) => name === source);
  if (known === undefined)
    throw new RejectedMessage('SOURCE_UNKNOWN', 'no reader for the source of the alert');
  const allTexts = stringsIn(payload, settings.maxDepth);
  if (allTexts === undefined) {
    throw new RejectedMessage(
      'ALERT_TOO_DEEP',
      `the alert is nested more than ${settings.maxDepth} levels deep`,
    );
  }
  const bytes = Buffer.byteLength(JSON.stringify(payload) ?? '');
  if (bytes > settings.maxBytes) {
    throw new RejectedMessage(
      'ALERT_TOO_LARGE',
      `the alert has ${bytes} bytes, the limit is ${settings.maxBytes}`,
    );
  }
  const { sourceAlertId, techniques, entities, ...alert } = readers[known](payload);
  const texts = [
    { where: '/title', text: alert.title },
    { where: '/description', text: alert.description },
  ];
  return {
    alert_id: alertIdOf(tenantId, known, sourceAlertId),
    tenant_id: tenantId,
    source: known,
    source_alert_id: sourceAlertId,
    ...alert,
    techniques: [...new Set(techniques.filter((id) => techniquePattern.test(id)))],
    entities: mergeEntities([...entities, ...entitiesInTexts(texts)], settings.maxEntities),
    injection: injectionSigns(allTexts),
    raw: payload,
  };
}

/** The same id whenever the same alert arrives, so that later services notice a repetition. */
function alertIdOf(tenantId: string, source: AlertSource, sourceAlertId: string): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([tenantId, source, sourceAlertId]))
    .digest('hex');
  return `alert-${hash.slice(0, 32)}`;
}
