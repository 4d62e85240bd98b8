import type { Page } from '@tallystick/testing';
import type { ConsoleService } from './console-service.ts';
import type { Scene } from './scenes.ts';

const shows = (text: string | RegExp) => async (page: Page) => {
  await page.getByText(text).first().waitFor();
};
const column = (name: string) => async (page: Page) => {
  await page.getByRole('columnheader', { name }).waitFor();
};
const operations = (page: Page) => page.locator('.opblock').last().waitFor({ state: 'attached' });

/** Requests to the API never get an answer. */
const isSlow = async (page: Page) => {
  await page.route('**/v1/**', () => {});
};
/** Requests to the API get no connection. */
const isAway = async (page: Page) => {
  await page.route('**/v1/**', async (route) => await route.abort('connectionrefused'));
};
/** Requests to the API get this problem. */
const answers = (status: number, problem: object) => async (page: Page) => {
  await page.route('**/v1/**', async (route) => {
    await route.fulfill({ status, contentType: 'application/problem+json', json: { status, ...problem } });
  });
};
const tooMany = answers(429, {
  ...{ type: 'about:blank', title: 'Too many requests', code: 'RATE_LIMITED' },
  detail: 'this API key sent more than 50 requests a second. Retry after 1 s',
});

/** The scenes of the pages for operators, for a trail with trouble, and of states that people rarely look at. */
export async function operationScenes(service: ConsoleService): Promise<readonly Scene[]> {
  const { client } = service;
  const letters = (await client.deadLetters.list({ tenant_id: 'acme', state: 'open' })).dead_letters;
  const letter = letters[0]?.id ?? 'none';
  const few = await service.key('Few rights', ['events:read'], { tenants: ['acme'] });
  const blind = await service.key('Delivery only', ['events:write']);
  const signed = (name: string, path: string, ready: Scene['ready'], more: Partial<Scene> = {}): Scene => ({
    ...{ name, path, signedIn: true, ready },
    ...more,
  });
  const asksAgain = async (page: Page) => {
    await page.getByRole('button', { name: 'Submit many again …' }).click();
    await page.getByLabel('Refused with').waitFor();
  };
  const erases = async (page: Page) => {
    await page.getByRole('button', { name: 'Erase …' }).click();
    await shows('to confirm')(page);
  };
  const pages = ['producers', 'dead-letters', 'tenants', 'keys', 'followers', 'verification', 'exports'];
  return [
    signed('producers', 'producers?tenant=acme&all=1', column('Last number')),
    signed('producers-missing', 'producers?tenant=acme', async (page) => {
      await column('Last number')(page);
      await page.getByText('What the states mean').click();
    }),
    signed('producer-close', 'producers?tenant=acme', async (page) => {
      await page.getByRole('button', { name: /night-batch/ }).click();
      await shows(/would be closed|would be declared|nothing would/)(page);
    }),
    signed('dead-letters', 'dead-letters?tenant=acme&all=1', column('Last seen')),
    signed(
      'dead-letters-erased',
      'dead-letters?tenant=acme&state=purged',
      shows('No refused event was erased'),
    ),
    signed('dead-letter', `dead-letters?tenant=acme&letter=${letter}`, shows('What was received')),
    signed('dead-letter-retry', `dead-letters?tenant=acme&letter=${letter}`, async (page) => {
      await page.getByRole('button', { name: 'Submit again' }).click();
      await shows('It was refused again')(page);
    }),
    signed('dead-letters-again', 'dead-letters?tenant=acme', asksAgain),
    signed('dead-letters-again-done', 'dead-letters?tenant=acme', async (page) => {
      await asksAgain(page);
      await page.getByRole('button', { name: /^Submit \d/ }).click();
      await shows(/\d accepted, \d/)(page);
    }),
    signed('dead-letter-erase', `dead-letters?tenant=acme&letter=${letter}`, erases),
    signed('dead-letter-few', `dead-letters?tenant=acme&letter=${letter}`, shows('What was received'), {
      key: few,
    }),
    signed('tenants', 'tenants', column('Last record')),
    signed('keys', 'keys', column('Acts as')),
    signed('keys-all', 'keys?all=1', column('Acts as')),
    signed('key-new', 'keys', async (page) => {
      await page.getByText('Make a new key').click();
      await shows('The key may')(page);
    }),
    signed('key-made', 'keys', async (page) => {
      await page.getByText('Make a new key').click();
      await page.getByLabel('Name').fill('checkout');
      await page.getByRole('button', { name: 'Make the key' }).click();
      await shows('shown only once')(page);
    }),
    signed('key-revoke', 'keys', async (page) => {
      await page
        .getByRole('button', { name: /^Revoke the key/ })
        .first()
        .click();
    }),
    signed('followers', 'followers', column('Oldest unread')),
    signed('follower-paused', 'followers', async (page) => {
      await page.getByRole('button', { name: 'Pause search-index' }).click();
      await shows('is paused until')(page);
      await page.getByRole('button', { name: 'Rebuild hourly-counts' }).click();
      await client.followers.change('search-index', { action: 'resume' });
    }),
    signed('verification', 'verification?tenant=acme', async (page) => {
      await page.getByRole('button', { name: 'Check all records now' }).click();
      await shows('The chain is intact')(page);
    }),
    signed('verification-history', 'verification?tenant=acme', column('Asked for by')),
    signed(
      'verification-running',
      'verification?tenant=acme',
      async (page) => {
        await page.getByRole('button', { name: 'Check all records now' }).click();
        await shows('records checked')(page);
      },
      {
        prepare: async (page) => {
          await page.route('**/v1/audit/verify**', () => {});
        },
      },
    ),
    signed(
      'verification-broken',
      'verification?tenant=acme',
      async (page) => {
        await page.getByRole('button', { name: 'Check all records now' }).click();
        await shows('Keep the database')(page);
      },
      { prepare: changedRecord },
    ),
    signed('exports', 'exports?tenant=acme&event_type=alert.*', shows(/\d events/)),
    signed('views', 'events?tenant=acme', async (page) => {
      await page.locator('.event-row').first().waitFor();
      await page.getByRole('button', { name: 'Views' }).click();
      for (const name of ['Denied sign-ins', 'Model calls of one week, by the desk of the night shift'])
        await saveView(page, name);
    }),
    signed('account', 'tenants', async (page) => {
      await column('Last record')(page);
      await page.getByRole('button', { name: /Session of/ }).click();
    }),
    signed(
      'account-few',
      'tenants',
      async (page) => {
        await column('Last record')(page);
        await page.getByRole('button', { name: /Session of/ }).click();
      },
      { key: few },
    ),
    signed('nothing-allowed', '', shows(/may not read anything/), { key: blind }),
    signed('not-offered', 'keys', shows('There is no such page'), { key: few }),
    signed('api', '../docs', operations),
    signed('api-operation', '../docs#/Events/getEvent', operations),
    ...pages.flatMap((page) => [
      signed(
        `${page}-slow`,
        `${page}?tenant=acme`,
        async (shown) => {
          await shown.locator('.shell').waitFor();
          await shown.waitForLoadState('load');
        },
        { prepare: isSlow },
      ),
    ]),
    ...['producers', 'keys', 'followers', 'exports'].map((page) =>
      signed(`${page}-away`, `${page}?tenant=acme`, shows('does not answer'), { prepare: isAway }),
    ),
    signed('dead-letters-busy', 'dead-letters?tenant=acme', shows('Too many requests'), { prepare: tooMany }),
  ];
}

async function saveView(page: Page, name: string): Promise<void> {
  await page.getByLabel('Save this view as').fill(name);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
}

/** The service says that it found a record that was changed. */
async function changedRecord(page: Page): Promise<void> {
  await page.route('**/v1/audit/verify**', async (route) => {
    const answer = await route.fetch();
    const report = (await answer.json()) as { readonly findings: readonly unknown[] };
    const findings = [
      {
        code: 'RECORD_HASH_MISMATCH',
        sequence_number: 217,
        expected: '9f2c1b7d0a54e3f1c6b8d7e9a0f1425364758697a8b9cadbecfd0e1f20314253',
        found: '1d7e0c44bb9a6f3e5d2c1b0a99887766554433221100ffeeddccbbaa99887766',
      },
    ];
    await route.fulfill({ response: answer, json: { ...report, verdict: 'broken', findings } });
  });
}
