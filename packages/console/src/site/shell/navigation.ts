import type { IconName } from '../elements/signs/icon.tsx';
import { isOperator, may, type Session } from '../session/session.ts';

/** A page of the console. */
export interface PageEntry {
  /** Last part of its path. */
  readonly page: string;
  readonly title: string;
  readonly icon: IconName;
  /** Whether a reader may see anything on it. A page that always refuses is not offered. */
  readonly isOffered: (session: Session) => boolean;
}

const readsEvents = (session: Session) => may(session, 'events:read');

/** As the service decides it: approvals show what agents do. */
const seesApprovals = (session: Session) =>
  (['approvals:request', 'approvals:decide', 'events:read'] as const).some((scope) => may(session, scope));

/** The pages, in groups, in the order of the navigation. */
export const pageGroups: readonly { readonly title: string; readonly pages: readonly PageEntry[] }[] = [
  {
    title: 'Trail',
    pages: [
      { page: 'overview', title: 'Overview', icon: 'home', isOffered: readsEvents },
      { page: 'events', title: 'Events', icon: 'list', isOffered: readsEvents },
      { page: 'timeline', title: 'Timeline', icon: 'flow', isOffered: readsEvents },
      { page: 'exports', title: 'Exports', icon: 'download', isOffered: readsEvents },
      {
        page: 'verification',
        title: 'Verification',
        icon: 'shield-check',
        isOffered: (session) => may(session, 'log:read'),
      },
    ],
  },
  {
    title: 'Agents',
    pages: [
      { page: 'approvals', title: 'Approvals', icon: 'shield', isOffered: seesApprovals },
      { page: 'intents', title: 'Open actions', icon: 'activity', isOffered: readsEvents },
      { page: 'calls', title: 'Model calls', icon: 'spark', isOffered: readsEvents },
    ],
  },
  {
    title: 'Delivery',
    pages: [
      { page: 'producers', title: 'Producers', icon: 'truck', isOffered: readsEvents },
      { page: 'dead-letters', title: 'Dead letters', icon: 'inbox', isOffered: readsEvents },
    ],
  },
  {
    title: 'Service',
    pages: [
      { page: 'tenants', title: 'Tenants', icon: 'people', isOffered: readsEvents },
      { page: 'keys', title: 'API keys', icon: 'key', isOffered: isOperator },
      { page: 'followers', title: 'Followers', icon: 'refresh', isOffered: isOperator },
    ],
  },
];

/** All pages that the reader is offered. */
export function pagesFor(session: Session): readonly PageEntry[] {
  return pageGroups.flatMap(({ pages }) => pages.filter(({ isOffered }) => isOffered(session)));
}
