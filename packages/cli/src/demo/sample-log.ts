/**
 * A Kubernetes audit log as an API server writes it: three stages of one request, with a number that JavaScript can't
 * represent.
 */
export function kubernetesAuditLog(): string {
  const base = {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: 'RequestResponse',
    auditID: '4d2c8342-f3a3-4bd6-9a5f-6d8e6a9b7f10',
    requestURI: '/apis/apps/v1/namespaces/payments/deployments',
    verb: 'create',
    user: { username: 'jane@example.com', groups: ['platform-admins', 'system:authenticated'] },
    sourceIPs: ['203.0.113.17'],
    userAgent: 'kubectl/v1.34.1 (linux/amd64)',
    objectRef: {
      resource: 'deployments',
      namespace: 'payments',
      name: 'ledger',
      apiGroup: 'apps',
      apiVersion: 'v1',
    },
    requestReceivedTimestamp: '2026-03-14T09:26:53.123456Z',
  };
  const annotations = { 'authorization.k8s.io/decision': 'allow', 'authorization.k8s.io/reason': '' };
  const stages = [
    { ...base, stage: 'RequestReceived', stageTimestamp: '2026-03-14T09:26:53.123456Z' },
    {
      ...base,
      stage: 'ResponseStarted',
      stageTimestamp: '2026-03-14T09:26:53.140012Z',
      responseStatus: { code: 201 },
    },
    {
      ...base,
      stage: 'ResponseComplete',
      stageTimestamp: '2026-03-14T09:26:53.151733Z',
      responseStatus: { code: 201 },
      annotations,
    },
  ];
  return stages
    .map(
      (stage) =>
        `${JSON.stringify(stage).slice(0, -1)},"requestObject":{"metadata":{"generation":9007199254740993}}}\n`,
    )
    .join('');
}
