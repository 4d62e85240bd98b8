import type { Scope } from '@tallystick/protocol';
import { type Browser, startBrowser } from '@tallystick/testing';
import { afterAll, beforeAll } from 'vitest';
import { ConsoleService } from './console-service.ts';
import { submitNumberedLogins } from './logins.ts';

/** What the tests of a file share: a service in which acme has five logins and globex three, and a browser. */
export interface WithLogins {
  readonly service: ConsoleService;
  readonly browser: Browser;
  /** @returns a key for both tenants */
  reader(
    name: string,
    scopes?: readonly Scope[],
    bounds?: Parameters<ConsoleService['key']>[2],
  ): Promise<string>;
}

/** Starts both before the tests of the file, and ends them afterwards. */
export function withLogins(): WithLogins {
  let service: ConsoleService;
  let browser: Browser;
  beforeAll(async () => {
    service = await ConsoleService.empty();
    await submitNumberedLogins(service, 'acme', 5);
    await submitNumberedLogins(service, 'globex', 3);
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await service?.[Symbol.asyncDispose]();
  });
  return {
    get service() {
      return service;
    },
    get browser() {
      return browser;
    },
    reader: (name, scopes = ['events:read', 'log:read'], bounds = {}) =>
      service.key(name, scopes, { tenants: ['acme', 'globex'], ...bounds }),
  };
}
