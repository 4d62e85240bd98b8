/** The severity of an alert, the most severe first. */
export const severities = ['critical', 'high', 'medium', 'low', 'informational'] as const;
export type Severity = (typeof severities)[number];

/** What depends on an asset, and who repairs it. */
export interface AssetRule {
  readonly name: string;
  readonly consequence: 'safety' | 'equipment' | 'downtime' | 'data';
  readonly owner: string;
}

const seconds = 1_000;
const minutes = 60 * seconds;
const hours = 60 * minutes;
const days = 24 * hours;

/**
 * Every threshold of the platform, in one place. Durations are in milliseconds, money is in US dollars, scores and confidences lie
 * between 0 and 1 unless their name says otherwise. Governance changes copies of it at run time and records each change.
 */
export const defaultSettings = {
  alerts: {
    /** A larger alert, as JSON, becomes a dead letter. */
    maxBytes: 256 * 1024,
    /** An alert whose objects and lists contain each other more often becomes a dead letter. */
    maxDepth: 64,
    maxEntities: 500,
    /** Two alerts of one source with the same id within this time are one alert. */
    duplicateWindowMs: 24 * hours,
  },
  memory: {
    /** Without a database, a service keeps this many documents of one kind and tenant. What work still depends on stays in any case. */
    documentsPerTenant: 5_000,
  },
  shortCircuit: {
    /** A false-positive pattern with at least this score closes the alert without a model. */
    minimumScore: 0.9,
  },
  investigation: {
    /** Below this confidence, a critical or high alert goes to a human. */
    minimumConfidence: 0.6,
    /** An action of this tier or above needs a human. */
    humanFromTier: 2,
    similarIncidents: { vector: 0.4, recency: 0.3, tenant: 0.15, techniques: 0.15, maxResults: 5 },
    /** As many of the latest investigations of the tenant are compared with an alert. */
    comparedLatest: 100,
    /** Earlier investigations with a lower score are not offered as similar. */
    similarFromScore: 0.5,
    recencyHalfLifeMs: 30 * days,
    /** Detections older than this are not connected with an alert. */
    detectionsOfLastMs: 24 * hours,
    /** As many of the latest detections of the tenant are considered. */
    detectionsConsidered: 200,
  },
  gateway: {
    /** Tokens of one prompt. Evidence beyond this is left out, the oldest first. */
    contextBudgetTokens: 24_000,
    /**
     * Evidence whose signs of injection together have at least this weight is malicious: the model is not called. With weaker signs it
     * is suspicious: the model gets a summary without its sentences.
     */
    maliciousFromWeight: 0.8,
  },
  router: {
    /** Less time than this for an answer: tier 0. */
    fastBelowMs: 3 * seconds,
    /** More context than this: at least tier 1. */
    largeContextTokens: 100_000,
    /** Previous confidence below this on critical or high: tier 1+. */
    extendedBelowConfidence: 0.6,
    breaker: { failures: 5, openMs: 30 * seconds, probes: 1 },
    callTimeoutMs: 20 * seconds,
    quotasPerHour: { premium: 500, standard: 100, trial: 20 },
    spendPerMonthUsd: { soft: 500, hard: 1_000 },
  },
  response: {
    /** Actions up to this tier run without approval. */
    automaticUpToTier: 1,
    approvalWindowMs: {
      critical: 1 * hours,
      high: 2 * hours,
      medium: 4 * hours,
      low: 8 * hours,
      informational: 8 * hours,
    },
    /** Share of the window after which the approvers are reminded. */
    remindAtShare: 0.5,
    /** Severities whose unanswered approvals are escalated. Others are closed without effect. */
    escalateOnTimeout: ['critical', 'high'] as readonly Severity[],
    /** Groups or subjects that decide after an escalation. */
    escalateTo: ['soc-leads'] as readonly string[],
    /** How many people approve an action of this tier. */
    approvalsOfTier: { 0: 1, 1: 1, 2: 1, 3: 2 },
    /** A granted action must begin within this time. */
    claimWithinMs: 15 * minutes,
    /** A gated action whose intent could not be recorded is tried again after this time. */
    retryMs: 15 * seconds,
    effectTimeoutMs: 2 * minutes,
    /** How long a gated action waits until its intent is in the trail. Then it is tried again later. */
    acknowledgeWithinMs: 10 * seconds,
  },
  ctem: {
    /** Weight of the worst consequence of an exposure. Score = exploitability × weight × 10. */
    consequenceWeights: { safety: 1, equipment: 0.8, downtime: 0.5, data: 0.3 },
    /** The lowest score of each severity. */
    severityFromScore: { critical: 8, high: 6, medium: 3, low: 0 },
    /** Owner and worst consequence of an asset: the first rule whose pattern matches its name. `*` stands for any text. */
    assets: [
      { name: '*safety*', consequence: 'safety', owner: 'plant-safety' },
      { name: 'plc-*', consequence: 'safety', owner: 'plant-safety' },
      { name: 'robot-*', consequence: 'equipment', owner: 'automation' },
      { name: 'line-*', consequence: 'downtime', owner: 'production-it' },
      { name: '*-prod*', consequence: 'downtime', owner: 'production-it' },
      { name: '*', consequence: 'data', owner: 'it-security' },
    ] as readonly AssetRule[],
    slaMs: { critical: 24 * hours, high: 72 * hours, medium: 336 * hours, low: 720 * hours },
  },
  atlas: {
    untrustedFactor: 0.7,
    /** Detections of safety rules keep at least this confidence. */
    safetyFloor: 0.7,
    lookBackMs: 1 * hours,
    /** Telemetry of one subject that is kept for the rules. */
    maxTelemetryPerSubject: 1_000,
    /** Subjects of one tenant whose telemetry is kept; the one that was silent longest is dropped. */
    maxSubjects: 10_000,
    rules: {
      dataPoisoning: { labelFlipRatio: 0.05, lossShiftSigma: 3 },
      modelExtraction: { requests: 1_000, distinctRatio: 0.8 },
      promptInjection: { score: 0.7 },
      evasion: { confidenceDrop: 0.4 },
      inferenceDenial: { requestsPerSecond: 500, latencyMs: 5_000 },
      insider: { downloads: 3 },
      alertFatigue: { alertsPerHour: 200, dismissedRatio: 0.9 },
      sensorSpoofing: { deviationSigma: 6, neighbourSigma: 2 },
      partnerIntegrity: { schemaDriftRatio: 0.2 },
    },
  },
  batch: {
    flushAtTasks: 50,
    flushAfterMs: 6 * hours,
    /** A batch that could not be submitted is submitted again after this time. */
    retryMs: 5 * minutes,
    /** Closed investigations of one kind from which a pattern or a playbook is derived. */
    patternFromClosed: 3,
    playbookFromClosed: 3,
    /** Different people who must approve a pattern before it takes effect. */
    approversOfPattern: 2,
  },
  governance: {
    /** Automatic actions of one tenant within the window; beyond it they need a human. */
    accumulation: { maxActions: 20, windowMs: 1 * hours },
    /** Canary decisions that are compared before promotion, and the agreement that promotion needs. */
    canary: { decisions: 20, promoteFromAgreement: 0.95, rollBackBelowAgreement: 0.8 },
  },
};

export type Settings = typeof defaultSettings;
export type TenantTier = keyof Settings['router']['quotasPerHour'];
