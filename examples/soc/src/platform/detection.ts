/** What sensors and model servers put on `telemetry.raw`. Nothing in it is trusted. */
export interface Telemetry {
  /** RFC 3339, UTC. */
  readonly time: string;
  /** What was observed, such as `inference.request` or `training.batch`. */
  readonly kind: string;
  /** The model, sensor, partner or analyst that it is about. */
  readonly subject: string;
  /** Whether the sender is authenticated and its clock is right. */
  readonly trusted: boolean;
  readonly measures: Readonly<Record<string, number>>;
  readonly attributes: Readonly<Record<string, string>>;
}

/** A rule of the ATLAS detection fired: the value of `atlas.detections`. */
export interface Detection {
  readonly detection_id: string;
  readonly tenant_id: string;
  readonly rule: string;
  /** MITRE ATLAS technique ids. */
  readonly techniques: readonly string[];
  readonly subject: string;
  readonly confidence: number;
  readonly time: string;
  /** The telemetry that fired it, in short. */
  readonly evidence: readonly string[];
}
