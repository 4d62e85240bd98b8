import type { Page } from '@tallystick/testing';
import type { Portal } from './portal.ts';

/** The viewer in a state that a picture is made of. */
export interface ViewerScene {
  readonly name: string;
  readonly lang?: 'en' | 'de';
  readonly token: string;
  /** Style of the page around it. */
  readonly css?: string;
  /** Called before the page is opened. */
  prepare?(page: Page): Promise<void>;
  /** Resolves when the page shows what it should. */
  ready(page: Page): Promise<void>;
}

/** What a host application sets to make the viewer its own. */
const ownLook = `tallystick-viewer {
  --tallystick-font: Georgia, serif;
  --tallystick-font-size: 16px;
  --tallystick-accent: light-dark(#6d28d9, #c4a7ff);
  --tallystick-background: light-dark(#fdf8f1, #241f2b);
  --tallystick-line: light-dark(#e6d9c6, #443a50);
  --tallystick-radius: 14px;
}`;

const row = (page: Page) => page.locator('tbody tr').first().waitFor();
const shows = (text: string) => async (page: Page) => {
  await page.getByText(text).first().waitFor();
};
const opens = (type: string, text: string) => async (page: Page) => {
  await page.getByRole('button', { name: type }).first().click();
  await shows(text)(page);
};

/** The scenes of the viewer. */
export async function viewerScenes(portal: Portal): Promise<readonly ViewerScene[]> {
  const { dayToken: token } = portal;
  const { token: bare } = await portal.token('nordlicht', { include_records: false, expires_in: 3_600 });
  const { token: merciless } = await portal.token('merciless', { expires_in: 3_600 });
  const { token: empty } = await portal.token('nobody', { expires_in: 3_600 });
  const ended = await portal.token('nordlicht');
  await portal.revoke(ended.id);
  const verified = opens('invoice.paid', 'Verified by your browser');
  const search = (q: string, text: string) => async (page: Page) => {
    await row(page);
    await page.getByRole('searchbox').fill(q);
    await page.getByRole('searchbox').press('Enter');
    await shows(text)(page);
  };
  const isForked = async (page: Page) => {
    await page.locator('[data-state="first_visit"]').waitFor();
    portal.show('fork');
    try {
      await page.reload();
      await page.locator('[data-state="forked"]').waitFor();
    } finally {
      portal.show('genuine');
    }
  };
  return [
    { name: 'viewer-list', token, ready: row },
    { name: 'viewer-german', lang: 'de', token, ready: row },
    { name: 'viewer-record', token, ready: verified },
    {
      name: 'viewer-proof',
      token,
      ready: async (page) => {
        await verified(page);
        await page.getByText('What was checked').click();
      },
    },
    {
      name: 'viewer-record-german',
      lang: 'de',
      token,
      ready: async (page) => {
        await opens('auth.login', 'Von Ihrem Browser geprüft')(page);
        await page.getByText('Was geprüft wurde').click();
      },
    },
    { name: 'viewer-themed', token, css: ownLook, ready: verified },
    {
      name: 'viewer-loading',
      token,
      prepare: async (page) => {
        await page.route('**/v1/**', () => {});
      },
      ready: shows('Loading'),
    },
    { name: 'viewer-empty', token: empty, ready: shows('no events yet') },
    { name: 'viewer-no-match', token, ready: search('zebra', 'No event matches') },
    { name: 'viewer-bad-search', token, ready: search('"', 'character') },
    { name: 'viewer-bad-search-german', lang: 'de', token, ready: search('pay*ment', 'Ein * steht') },
    { name: 'viewer-expired', token: ended.token, ready: shows('has ended') },
    { name: 'viewer-expired-german', lang: 'de', token: ended.token, ready: shows('abgelaufen') },
    { name: 'viewer-not-checked', token: bare, ready: opens('invoice.paid', 'Content not checked') },
    {
      name: 'viewer-away',
      token,
      prepare: async (page) => {
        await page.route('**/v1/**', async (route) => await route.abort('connectionrefused'));
      },
      ready: shows('Try again'),
    },
    {
      name: 'viewer-long-names',
      token: merciless,
      ready: opens('document.shared', 'Verified by your browser'),
    },
    { name: 'viewer-forked', token, ready: isForked },
    { name: 'viewer-forked-german', lang: 'de', token, ready: isForked },
  ];
}
