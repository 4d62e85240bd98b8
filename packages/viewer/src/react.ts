'use client';

import { createElement, type ReactElement, useEffect, useRef } from 'react';
import type { AlarmDetail } from './contract.ts';
import type { TallystickViewer as ViewerElement } from './element.tsx';
import type { ViewerWords } from './words/viewer-words.ts';

/** What the component takes. */
export interface TallystickViewerProps {
  /** Address of the service. */
  readonly server: string;
  /** The viewer token that the backend made. */
  readonly token?: string | undefined;
  /** Returns a new token when the service refuses the last one. */
  readonly getToken?: (() => Promise<string>) | undefined;
  /** Language, such as `de`. @defaultValue that of the document */
  readonly lang?: string | undefined;
  /** A verifier key of the log that the page pins. @defaultValue the key that the service shows at the first visit */
  readonly logKey?: string | undefined;
  /** Own texts, instead of those of the language. */
  readonly words?: Partial<ViewerWords> | undefined;
  readonly className?: string | undefined;
  readonly onAlarm?: ((detail: AlarmDetail) => void) | undefined;
  readonly onTokenExpired?: (() => void) | undefined;
}

/** `<tallystick-viewer>` as a component of React 18 and later. On a server it renders the empty element. */
export function TallystickViewer(props: TallystickViewerProps): ReactElement {
  const { server, token, getToken, lang, logKey, words, className, onAlarm, onTokenExpired } = props;
  const element = useRef<ViewerElement>(null);
  const handlers = useRef({ onAlarm, onTokenExpired });
  handlers.current = { onAlarm, onTokenExpired };
  useEffect(() => {
    const viewer = element.current!;
    const alarm = (event: Event) => handlers.current.onAlarm?.((event as CustomEvent<AlarmDetail>).detail);
    const expired = () => handlers.current.onTokenExpired?.();
    viewer.addEventListener('tallystick-alarm', alarm);
    viewer.addEventListener('token-expired', expired);
    return () => {
      viewer.removeEventListener('tallystick-alarm', alarm);
      viewer.removeEventListener('token-expired', expired);
    };
  }, []);
  useEffect(() => {
    // Loaded only in a browser: a server has no custom elements.
    void import('./index.ts').then(() => {
      const viewer = element.current;
      if (viewer !== null) Object.assign(viewer, { getToken, words, token });
    });
  }, [getToken, words, token]);
  return createElement('tallystick-viewer', {
    ref: element,
    server,
    lang,
    'log-key': logKey,
    class: className,
  });
}
