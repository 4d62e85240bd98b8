import type { Browser } from 'playwright-core';

/** A theme that a page can have. */
export type PictureTheme = 'light' | 'dark';

/** A browser window for pictures: the same zone, language and stillness in every picture. */
export async function pictureContext(browser: Browser, theme: PictureTheme, width: number, height: number) {
  return await browser.newContext({
    viewport: { width, height },
    colorScheme: theme,
    timezoneId: 'Europe/Berlin',
    locale: 'en-GB',
    reducedMotion: 'reduce',
  });
}

/** A PNG picture as WebP, which has a quarter of the bytes. The browser encodes it, so that no further tool is needed. */
export async function webpOf(browser: Browser, png: Buffer): Promise<Buffer> {
  const page = await browser.newPage();
  const encoded = await page.evaluate(async (source) => {
    const image = new Image();
    image.src = `data:image/png;base64,${source}`;
    await image.decode();
    const canvas = document.createElement('canvas');
    Object.assign(canvas, { width: image.width, height: image.height });
    canvas.getContext('2d')!.drawImage(image, 0, 0);
    return canvas.toDataURL('image/webp', 0.64).split(',')[1]!;
  }, png.toString('base64'));
  await page.close();
  return Buffer.from(encoded, 'base64');
}
