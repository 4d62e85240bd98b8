import type { Page } from '@tallystick/testing';
import type { ConsoleService } from './console-service.ts';
import { operationScenes } from './operation-scenes.ts';

/** A page in a state that a picture is made of. */
export interface Scene {
  readonly name: string;
  /** Address below the console's. */
  readonly path: string;
  readonly signedIn: boolean;
  /** Who looks. Absent: a person who may do everything. */
  readonly key?: string;
  /** Called before the page is opened, as to slow the network down. */
  prepare?(page: Page): Promise<void>;
  /** Resolves when the page shows what it should. */
  ready(page: Page): Promise<void>;
}

/** The scenes, for the data of the reference platform. */
export async function scenesOf(service: ConsoleService): Promise<readonly Scene[]> {
  const { client } = service;
  const decided = await client.events.list({
    tenant_id: 'acme',
    filters: { event_type: 'alert.classified' },
    limit: 1,
  });
  const { approvals } = await client.approvals.list({ tenant_id: 'acme', limit: 1 });
  const approved = await client.events.list({
    tenant_id: 'acme',
    filters: { event_type: 'approval.granted' },
    limit: 50,
  });
  // An action on a host says more in a picture than the confirmation of a verdict.
  const shown = approved.events.find((event) => JSON.stringify(event).includes('isolate_host'));
  const investigation = String((shown ?? approved.events[0]!).investigation_id);
  const id = String(decided.events[0]!.audit_id);
  const shows = (text: string | RegExp) => async (page: Page) => {
    await page.getByText(text).first().waitFor();
  };
  const overview = async (page: Page) => {
    await shows('by hour and outcome')(page);
    await shows('Waiting approvals')(page);
    await shows('Records in the chain')(page);
    await page.locator('.recent-timelines').waitFor();
  };
  const rows = (page: Page) => page.locator('.event-row').first().waitFor();
  return [
    { name: 'sign-in', path: 'events', signedIn: false, ready: shows('I have no key') },
    { name: 'events', path: 'events?tenant=acme', signedIn: true, ready: rows },
    {
      name: 'filtered',
      path: 'events?tenant=acme&event_type=alert.*&not.outcome_status=failure',
      signedIn: true,
      ready: rows,
    },
    {
      name: 'no-match',
      path: 'events?tenant=acme&actor_id=nobody&last=1h',
      signedIn: true,
      ready: shows('No event matches'),
    },
    {
      name: 'record',
      path: `events?tenant=acme&event=${id}`,
      signedIn: true,
      ready: shows('Verified here, by your browser'),
    },
    {
      name: 'proof',
      path: `events?tenant=acme&event=${id}`,
      signedIn: true,
      ready: async (page) => {
        await shows('Verified here, by your browser')(page);
        await page.getByText('What was checked').click();
      },
    },
    {
      name: 'timelines',
      path: 'timeline?tenant=acme',
      signedIn: true,
      ready: async (page) => await page.locator('.recent-timelines').waitFor(),
    },
    {
      name: 'timeline',
      path: `timeline?tenant=acme&investigation_id=${investigation}`,
      signedIn: true,
      ready: shows('What led to what'),
    },
    { name: 'overview', path: 'overview?tenant=acme', signedIn: true, ready: overview },
    { name: 'approvals', path: 'approvals?tenant=acme&state=all', signedIn: true, ready: shows('Requested') },
    {
      name: 'approval',
      path: `approvals?tenant=acme&state=all&approval=${approvals[0]!.id}`,
      signedIn: true,
      ready: shows('What would be done'),
    },
    { name: 'no-approvals', path: 'approvals?tenant=acme', signedIn: true, ready: shows('No agent waits') },
    { name: 'search', path: 'events?tenant=acme&q=powershell', signedIn: true, ready: rows },
    {
      name: 'verified-page',
      path: 'events?tenant=acme&event_type=alert.*',
      signedIn: true,
      ready: async (page) => {
        await rows(page);
        await page.getByRole('button', { name: 'Verify' }).click();
        await shows('Checked by your browser')(page);
      },
    },
    { name: 'intents', path: 'intents?tenant=acme', signedIn: true, ready: shows(/No action is|Deadline/) },
    { name: 'calls', path: 'calls?tenant=acme', signedIn: true, ready: shows('Most expensive calls') },
    ...(await operationScenes(service)),
  ];
}
