import type { CorpusFinding } from './corpus.ts';

const found = (day: number) => `2026-11-${String(day).padStart(2, '0')}T06:00:00Z`;

const wiz = (id: number, rule: string, name: string, asset: string, severity: string, status = 'OPEN') => ({
  id: `wiz-issue-${id}`,
  createdAt: found(10 + (id % 9)),
  status,
  severity,
  type: 'TOXIC_COMBINATION',
  sourceRule: { __typename: 'Control', id: rule, name },
  entitySnapshot: { id: `entity-${id}`, type: 'VIRTUAL_MACHINE', name: asset, cloudPlatform: 'Azure' },
});

const snyk = (id: number, cve: string, title: string, project: string, score: number, status = 'open') => ({
  id: `00000000-0000-4000-8000-${String(id).padStart(12, '0')}`,
  type: 'issue',
  attributes: {
    title,
    key: `SNYK-JS-${id}`,
    type: 'package_vulnerability',
    status,
    ignored: false,
    effective_severity_level: score >= 700 ? 'high' : 'medium',
    created_at: found(8 + (id % 9)),
    problems: [{ id: cve, source: 'NVD' }],
    risk: { score: { model: 'v1', value: score } },
  },
  relationships: { scan_item: { data: { id: project, type: 'project' } } },
});

const garak = (probe: string, detector: string, passed: number, total: number, target: string) => ({
  entry_type: 'eval',
  probe,
  detector,
  passed,
  fails: total - passed,
  nones: 0,
  total_evaluated: total,
  total_processed: total,
  target,
  time: found(18),
});

const art = (attack: string, estimator: string, clean_accuracy: number, adversarial_accuracy: number) => ({
  attack,
  estimator,
  clean_accuracy,
  adversarial_accuracy,
  eps: 0.03,
  norm: 'inf',
  evaluated_at: found(17),
});

const of = (
  name: string,
  source: CorpusFinding['source'],
  payload: unknown,
  tenantId = 'acme',
): CorpusFinding => ({
  name,
  source,
  payload,
  tenantId,
});

/** Findings of four scanners: open ones, one that two scanners report, two that are remediated, and two that are malformed. */
export const corpusFindings: readonly CorpusFinding[] = [
  of(
    'public-vm',
    'wiz',
    wiz(1, 'wc-id-1234', 'Public VM with a critical vulnerability', 'web-prod-3', 'CRITICAL'),
  ),
  of(
    'plc-exposed',
    'wiz',
    wiz(2, 'wc-id-2001', 'PLC engineering port is reachable from the office network', 'plc-7', 'HIGH'),
  ),
  of(
    'open-bucket',
    'wiz',
    wiz(3, 'wc-id-3100', 'Storage bucket with drawings is public', 'drawings-bucket', 'MEDIUM'),
  ),
  of('log4j-web', 'snyk', snyk(1, 'CVE-2021-44228', 'Remote code execution in log4j', 'web-prod-3', 960)),
  of(
    'log4j-web-by-wiz',
    'wiz',
    wiz(4, 'CVE-2021-44228', 'log4j on a virtual machine', 'web-prod-3', 'CRITICAL'),
  ),
  of('prototype-pollution', 'snyk', snyk(2, 'CVE-2026-10001', 'Prototype pollution', 'portal-frontend', 420)),
  of(
    'prompt-injection',
    'garak',
    garak('promptinject.HijackHateHumans', 'promptinject.AttackRogueString', 32, 100, 'triage-model'),
  ),
  of('jailbreak', 'garak', garak('dan.Dan_11_0', 'dan.DAN', 91, 100, 'triage-model')),
  of('evasion-robot', 'art', art('ProjectedGradientDescent', 'robot-arm-vision', 0.97, 0.21)),
  of('evasion-quality', 'art', art('FastGradientMethod', 'line-4-quality', 0.94, 0.9)),
  of(
    'prototype-pollution-fixed',
    'snyk',
    snyk(2, 'CVE-2026-10001', 'Prototype pollution', 'portal-frontend', 420, 'resolved'),
  ),
  of(
    'open-bucket-fixed',
    'wiz',
    wiz(3, 'wc-id-3100', 'Storage bucket with drawings is public', 'drawings-bucket', 'MEDIUM', 'RESOLVED'),
  ),
  of('no-target', 'garak', {
    entry_type: 'eval',
    probe: 'p',
    detector: 'd',
    passed: 1,
    total: 2,
    time: found(18),
  }),
  of('wrong-severity', 'wiz', wiz(9, 'wc-id-9', 'x', 'y', 'HUGE')),
  of(
    'other-tenant',
    'wiz',
    wiz(10, 'wc-id-1234', 'Public VM with a critical vulnerability', 'web-prod-3', 'LOW'),
    'globex',
  ),
];
