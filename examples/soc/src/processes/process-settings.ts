import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { changeSetting } from '../governance/setting-paths.ts';
import { catalogNames } from '../models/named-catalog.ts';
import { defaultSettings, type Settings } from '../platform/settings.ts';
import { serviceNames } from './service-names.ts';

const tenantForm = z.object({
  id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/),
  tier: z.enum(['premium', 'standard', 'trial']),
  shadow: z.boolean(),
});

/** The settings that all processes of a platform share: one JSON file. It contains no secrets. */
const platformForm = z.strictObject({
  kafka: z.strictObject({
    brokers: z.array(z.string().min(1)).min(1).max(100),
    /** Stands before the name of each topic and group. */
    prefix: z.string().max(100).default(''),
    /** A process that is killed loses its partitions after this time. Then its successor gets them. */
    sessionTimeoutMs: z.number().int().min(1_000).max(300_000).default(10_000),
  }),
  /** Address of the audit service, for records and approvals. */
  audit: z.strictObject({ url: z.url() }),
  /** The models that the LLM router calls. The key of a provider is in the environment. */
  models: z.enum(catalogNames).default('offline'),
  /** Each service has a directory in it. */
  directory: z.string().min(1),
  /** The port of each service on the loopback address. */
  ports: z.record(z.enum(serviceNames), z.number().int().min(1).max(65_535)),
  tenants: z.array(tenantForm).min(1).max(10_000),
  /** Thresholds other than those of `platform/settings.ts`, by their paths. */
  thresholds: z.record(z.string(), z.union([z.number(), z.boolean(), z.string()])).default({}),
});

export type PlatformSettings = z.infer<typeof platformForm>;
export type PlatformSettingsInput = z.input<typeof platformForm>;

/** Secrets, which are only in the environment of a process. */
export interface ProcessSecrets {
  /** Key of the audit service, for this service: `TALLYSTICK_API_KEY`. */
  readonly apiKey: string;
  /** The secret with which the processes of the platform authenticate their calls: `SOC_CALL_KEY`. */
  readonly callKey: string;
}

/** @throws {Error} that says which setting is wrong */
export function checkPlatformSettings(settings: unknown): PlatformSettings {
  const parsed = platformForm.safeParse(settings);
  if (!parsed.success) {
    throw new Error(`the settings of the platform are wrong: ${z.prettifyError(parsed.error)}`);
  }
  return parsed.data;
}

/** @throws {Error} if the file can't be read, or a setting in it is wrong */
export function readPlatformSettings(path: string): PlatformSettings {
  return checkPlatformSettings(JSON.parse(readFileSync(path, 'utf8')));
}

/** @throws {Error} if one is missing */
export function readSecrets(env: NodeJS.ProcessEnv): ProcessSecrets {
  const { TALLYSTICK_API_KEY: apiKey, SOC_CALL_KEY: callKey } = env;
  if (!apiKey) throw new Error('TALLYSTICK_API_KEY is not set: the service needs a key of the audit service');
  if (!callKey || callKey.length < 16) {
    throw new Error('SOC_CALL_KEY is not set, or has less than 16 characters: choose a random text');
  }
  return { apiKey, callKey };
}

/** @throws {GovernanceRefused} for a threshold that does not exist */
export function thresholdsOf({ thresholds }: PlatformSettings): Settings {
  const settings = structuredClone(defaultSettings);
  const changed = Object.entries(thresholds);
  for (const [path, value] of changed) {
    if (!isSame(settings, path, value)) changeSetting(settings, path, value);
  }
  return settings;
}

function isSame(settings: Settings, path: string, value: unknown): boolean {
  const found = path
    .split('.')
    .reduce<unknown>((holder, name) => (holder as Record<string, unknown> | undefined)?.[name], settings);
  return found === value;
}
