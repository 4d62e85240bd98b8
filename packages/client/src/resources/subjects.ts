import type { BlockedSubject, BlockedSubjectList, SubjectBlock } from '@tallystick/protocol';
import type { CallOptions, Sender } from '../sender.ts';

/** Subjects whose logins and keys the service refuses. Every call needs a key with the scope `admin` for every tenant. */
export interface SubjectsResource {
  /** All blocked subjects. */
  list(options?: CallOptions): Promise<readonly BlockedSubject[]>;
  /** Takes effect within a second on every replica, also for open streams. */
  block(subject: SubjectBlock, options?: CallOptions): Promise<void>;
  /** @throws {ClientError} `NOT_FOUND` */
  unblock(subject: string, options?: CallOptions): Promise<void>;
}

export function subjectsResource(sender: Sender): SubjectsResource {
  const path = 'v1/blocked-subjects';
  return {
    list: async ({ signal } = {}) => (await sender.json<BlockedSubjectList>({ path, signal })).subjects,
    block: async (subject, { signal } = {}) => {
      await sender.text({ method: 'POST', path, body: JSON.stringify(subject), idempotent: true, signal });
    },
    unblock: async (subject, { signal } = {}) => {
      await sender.text({ method: 'DELETE', path, query: { subject }, signal });
    },
  };
}
