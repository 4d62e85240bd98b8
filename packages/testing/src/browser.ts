import { execFileSync } from 'node:child_process';
import type { Browser } from 'playwright-core';

export type { Browser, Page } from 'playwright-core';

/**
 * Starts this machine's Chromium: the command `chromium`, or the one that the variable CHROMIUM names. Playwright's own download is not
 * used.
 */
export async function startBrowser(): Promise<Browser> {
  const command = process.env.CHROMIUM ?? 'chromium';
  const executablePath = execFileSync('which', [command], { encoding: 'utf8' }).trim();
  // Imported on demand: the other tests need no browser.
  const { chromium } = await import('playwright-core');
  // In a container the tests run as root, which Chromium's sandbox refuses. They open pages of this repository only.
  return await chromium.launch({ executablePath, args: ['--no-sandbox'] });
}
