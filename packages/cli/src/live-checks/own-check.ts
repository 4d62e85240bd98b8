import { type Client, ClientError } from '@tallystick/client';
import type { Finding } from '@tallystick/verify';

/** What the service says about its own store. */
export interface OwnCheck {
  readonly findings: readonly Finding[];
  /** Why the service was not asked; absent where it was. */
  readonly refused?: string;
}

/**
 * Asks the service to check its store. It sees what a bundle does not contain: the columns that filters use, and the heads.
 * A service that lies can deny everything, so a good answer proves nothing, and a bad one is a finding.
 *
 * @throws {ClientError} where the service can't be reached or fails
 */
export async function ownCheck(client: Client, tenantId: string): Promise<OwnCheck> {
  const findings: Finding[] = [];
  let next: number | undefined;
  do {
    try {
      const report = await client.verify({ tenant_id: tenantId, sequence_from: next });
      if (report.verdict === 'broken') findings.push(...(report.findings as readonly Finding[]));
      // A service that names no later place would be asked for ever.
      next = (report.next_sequence ?? 0) > (next ?? 0) ? report.next_sequence : undefined;
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      if (error.code === 'FORBIDDEN') {
        return {
          findings,
          refused: 'the API key lacks the scope log:read, so the service was not asked for its own check',
        };
      }
      if (error.code === 'NOT_FOUND') return { findings };
      throw error;
    }
  } while (next !== undefined && findings.length < maxFindings);
  return { findings };
}

/** The first hundred findings describe a forged chain well enough. */
export const maxFindings = 100;
