import type { Severity } from '../../platform/settings.ts';
import type { FoundEntity } from '../entities.ts';

/** What the reader of a source found in its alert. */
export interface SourceAlert {
  readonly sourceAlertId: string;
  /** RFC 3339, UTC. */
  readonly time: string;
  readonly title: string;
  readonly description: string;
  readonly severity: Severity;
  readonly tactics: readonly string[];
  readonly techniques: readonly string[];
  readonly product: string;
  readonly entities: readonly FoundEntity[];
}
