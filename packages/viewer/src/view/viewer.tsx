import { type Client, ClientError } from '@tallystick/client';
import type { EventView, ViewerTokenState } from '@tallystick/protocol';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { AlarmDetail } from '../contract.ts';
import { isAlarm, type LogVisit, visitLog } from '../trust/log-visit.ts';
import { LogMemory, pageStorage } from '../trust/memory.ts';
import type { ViewerWords } from '../words/viewer-words.ts';
import { EventTable } from './event-table.tsx';
import { LogBanner } from './log-banner.tsx';
import { RecordPanel } from './record-panel.tsx';
import { failureText, type Settings, SettingsProvider } from './settings.ts';
import { Skeleton } from './skeleton.tsx';

/** What the element gives its content. */
export interface ViewerProps {
  readonly server: string;
  readonly openClient: (url: string) => Client;
  readonly logKey: string | undefined;
  readonly language: string;
  readonly words: ViewerWords;
  readonly onEnded: () => void;
  readonly onAlarm: (detail: AlarmDetail) => void;
}

type Opened = { readonly token: ViewerTokenState; readonly visit: LogVisit | undefined };

/** The list, the state of the log, and the record that the reader opened. */
export function Viewer({ server, openClient, logKey, language, words, onEnded, onAlarm }: ViewerProps) {
  const client = useMemo(() => openClient(server), [server]);
  const [opened, setOpened] = useState<Opened>();
  const [error, setError] = useState<unknown>();
  const [record, setRecord] = useState<EventView>();
  const [round, setRound] = useState(0);
  const storage = useMemo(pageStorage, []);
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    const open = async () => {
      const token = await client.viewerTokens.current({ signal });
      setOpened({ token, visit: undefined });
      const tenant = token.tenant_id;
      const memory = new LogMemory(storage, server, tenant);
      try {
        const at = { tenant, server, key: logKey, now: Date.now() };
        const visit = await visitLog(client, memory, at, signal);
        setOpened({ token, visit });
        if (isAlarm(visit)) onAlarm({ state: visit.state, tenant, report: visit.report });
      } catch (failure) {
        // A tenant without a chain has no log yet.
        if (!(failure instanceof ClientError && failure.code === 'NOT_FOUND')) throw failure;
      }
    };
    open().catch((failure: unknown) => {
      if (!signal.aborted) setError(failure);
    });
    return () => controller.abort();
  }, [client, logKey, round]);
  const hasEnded =
    error instanceof ClientError && ['UNAUTHENTICATED', 'OPTIONS_INVALID'].includes(error.code);
  useEffect(() => {
    if (hasEnded) onEnded();
  }, [hasEnded]);
  const settings: Settings = { client, words, language };
  const opener = useRef<HTMLElement | null>(null);
  const retry = () => {
    setError(undefined);
    setRound((count) => count + 1);
  };
  return (
    <SettingsProvider value={settings}>
      <section class="viewer" lang={language} aria-label={words.title} part="viewer">
        {error !== undefined && (
          <div class={`notice ${hasEnded ? 'warn' : 'bad'}`} role="alert">
            <p>{hasEnded ? words.expired : failureText(error, words)}</p>
            {!hasEnded && (
              <button type="button" onClick={retry}>
                {words.retry}
              </button>
            )}
          </div>
        )}
        {opened !== undefined && <LogBanner visit={opened.visit} canRemember={storage !== undefined} />}
        {opened === undefined && error === undefined && <Skeleton />}
        {opened !== undefined && (
          <EventTable
            tenant={opened.token.tenant_id}
            openId={record === undefined ? undefined : String(record.audit_id)}
            panel={
              record !== undefined &&
              opened.visit !== undefined && (
                <RecordPanel
                  key={String(record.audit_id)}
                  event={record}
                  known={opened.visit.known}
                  onAlarm={onAlarm}
                  onClose={() => {
                    setRecord(undefined);
                    opener.current?.focus();
                  }}
                />
              )
            }
            onError={setError}
            onOpen={(event, button) => {
              opener.current = button;
              setRecord(event);
            }}
          />
        )}
      </section>
    </SettingsProvider>
  );
}
