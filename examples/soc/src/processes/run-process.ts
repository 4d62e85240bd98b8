import { parseArgs } from 'node:util';
import type { Actuators } from '../actuators/actuators.ts';
import type { ModelCatalog } from '../models/model-catalog.ts';
import type { ServiceName } from '../soc.ts';
import { readPlatformSettings, readSecrets } from './process-settings.ts';
import { serviceNames } from './service-names.ts';
import { runService } from './service-process.ts';

const usage = `usage: main.ts SERVICE --platform FILE

  SERVICE          ${serviceNames.join(', ')}
  --platform FILE  the settings that all processes of the platform share, as JSON

  TALLYSTICK_API_KEY  a key of the audit service
  SOC_CALL_KEY        a random text that all processes of the platform know`;

/** What a program of its own replaces, such as a test that observes calls of models. */
export interface Replacements {
  readonly catalog?: ModelCatalog;
  readonly actuators?: Actuators;
}

/**
 * Runs one service until SIGTERM or SIGINT, or until the supervisor that started the process is gone. It ends with 0 if everything is
 * delivered, with 1 if something stays on disk for the next start, and with 2 for settings that are wrong.
 */
export async function runProcess(
  args: readonly string[],
  replacements: (platformDirectory: string) => Replacements = () => ({}),
): Promise<void> {
  const { service, platform, secrets } = settingsOrExit(args);
  const running = await runService({
    ...{ service, platform, secrets },
    ...replacements(platform.directory),
    onError: (error) => report(service, error),
  });
  let isEnding = false;
  const end = async () => {
    if (isEnding) return;
    isEnding = true;
    try {
      const left = await running.close();
      if (left > 0) report(service, `${left} messages and records stay on disk for the next start`);
      process.exit(left > 0 ? 1 : 0);
    } catch (error) {
      report(service, error);
      process.exit(1);
    }
  };
  process.on('SIGTERM', end);
  if (process.send === undefined) {
    process.on('SIGINT', end);
    return;
  }
  // Ctrl-C in a terminal reaches the supervisor, too, which decides when this process ends.
  process.on('SIGINT', () => undefined);
  process.once('disconnect', end);
  process.send('ready');
}

function settingsOrExit(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { platform: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
    });
    if (values.help) {
      console.log(usage);
      return process.exit(0);
    }
    const [service, ...others] = positionals;
    if (!isService(service) || others.length > 0 || values.platform === undefined) throw new Error(usage);
    return { service, platform: readPlatformSettings(values.platform), secrets: readSecrets(process.env) };
  } catch (error) {
    console.error((error as Error).message);
    return process.exit(2);
  }
}

function isService(name: string | undefined): name is ServiceName {
  return serviceNames.includes(name as ServiceName);
}

function report(service: string, error: unknown): void {
  const text = error instanceof Error ? `${error.message}${causeOf(error)}` : String(error);
  console.error(`${service}: ${text}`);
}

function causeOf({ cause }: Error): string {
  return cause instanceof Error ? ` (${cause.message})` : '';
}
