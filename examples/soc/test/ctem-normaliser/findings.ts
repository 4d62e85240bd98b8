/** One open finding of each scanner, as its API or report gives it. */
export const wizFinding = {
  id: 'b2f1c9d0-aaaa-4bbb-8ccc-1234567890ab',
  createdAt: '2026-11-19T08:00:00Z',
  status: 'OPEN',
  severity: 'HIGH',
  type: 'TOXIC_COMBINATION',
  sourceRule: { id: 'wc-id-1234', name: 'Public VM with a critical vulnerability' },
  entitySnapshot: { id: 'e-1', type: 'VIRTUAL_MACHINE', name: 'web-prod-3', cloudPlatform: 'Azure' },
};

export const snykFinding = {
  id: 'c0ffee00-0000-4000-8000-000000000001',
  type: 'issue',
  attributes: {
    title: 'Remote code execution',
    key: 'SNYK-JS-LIB-1234567',
    status: 'open',
    type: 'package_vulnerability',
    effective_severity_level: 'critical',
    created_at: '2026-11-18T12:00:00.000Z',
    problems: [
      { id: 'SNYK-JS-LIB-1234567', source: 'SNYK' },
      { id: 'CVE-2026-12345', source: 'NVD' },
    ],
    risk: { score: { value: 850 } },
  },
  relationships: { scan_item: { data: { id: 'plc-gateway', type: 'project' } } },
};

export const garakFinding = {
  entry_type: 'eval',
  probe: 'promptinject.HijackHateHumans',
  detector: 'promptinject.AttackRogueString',
  passed: 30,
  fails: 70,
  nones: 0,
  total_evaluated: 100,
  total_processed: 100,
  target: 'triage-model',
  time: '2026-11-19T22:00:00Z',
};

export const artFinding = {
  attack: 'ProjectedGradientDescent',
  estimator: 'robot-arm-vision',
  clean_accuracy: 0.96,
  adversarial_accuracy: 0.24,
  eps: 0.03,
  norm: 'inf',
  evaluated_at: '2026-11-17T00:00:00Z',
};

export const findingOf = { wiz: wizFinding, snyk: snykFinding, garak: garakFinding, art: artFinding };
