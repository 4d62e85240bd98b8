import type { Client } from '@tallystick/client';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Session } from './session.ts';

/** What the pages need of the session. */
export interface ConsoleContext {
  readonly session: Session;
  readonly client: Client;
  /** Name of the log. */
  readonly log: string;
  readonly version: string;
  signOut(): void;
}

const Context = createContext<ConsoleContext | undefined>(undefined);

/** Gives the pages below it the session. */
export const ConsoleProvider = Context.Provider;

/** The session that the page belongs to. */
export function useConsole(): ConsoleContext {
  const context = useContext(Context);
  if (context === undefined) throw new Error('there is no session around this page');
  return context;
}
