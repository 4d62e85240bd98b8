import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { usePlace } from '../address/place.ts';
import { useShortcuts } from '../elements/browser/keyboard.ts';
import { keepTyping, searchHash } from '../elements/browser/search-link.ts';
import { Brand } from '../elements/signs/brand.tsx';
import { Icon } from '../elements/signs/icon.tsx';
import { useConsole } from '../session/console-context.ts';
import { may } from '../session/session.ts';
import { pageGroups } from './navigation.ts';
import { SessionMenu } from './session-menu.tsx';
import { TenantSwitch } from './tenant-switch.tsx';

/** What is around every page: navigation, tenant, session. */
export function Shell({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  const [isOpen, setOpen] = useState(false);
  const { session } = useConsole();
  const place = usePlace();
  // A page with a search of its own takes the key itself. From the others it leads to the search of events.
  const search = () => {
    if (document.querySelector('.filter-bar') !== null || !may(session, 'events:read')) return false;
    keepTyping();
    place.go(place.href('events') + searchHash);
    return true;
  };
  useShortcuts({ Escape: isOpen ? () => setOpen(false) : undefined, '/': search });
  return (
    <div class="shell">
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <nav class="navigation" aria-label="Pages" data-open={isOpen}>
        <Brand />
        <Navigation onFollow={() => setOpen(false)} />
      </nav>
      {isOpen && <div class="navigation-shade" onClick={() => setOpen(false)} aria-hidden="true" />}
      <header class="topbar">
        <button
          type="button"
          class="button square plain menu-button"
          aria-label="Pages"
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        >
          <Icon name="menu" />
        </button>
        <h1>{title}</h1>
        <TenantSwitch />
        <SessionMenu />
      </header>
      <main class="content" id="content" tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}

function Navigation({ onFollow }: { readonly onFollow: () => void }) {
  const { session } = useConsole();
  const place = usePlace();
  return (
    <>
      {pageGroups.map(({ title, pages }) => {
        const offered = pages.filter(({ isOffered }) => isOffered(session));
        return (
          offered.length > 0 && (
            <div class="navigation-group" key={title}>
              <h2>{title}</h2>
              <ul>
                {offered.map(({ page, title, icon }) => (
                  <li key={page}>
                    <a
                      href={place.href(page)}
                      aria-current={place.page === page ? 'page' : undefined}
                      onClick={onFollow}
                    >
                      <Icon name={icon} />
                      {title}
                    </a>
                  </li>
                ))}
              </ul>
            </div>
          )
        );
      })}
    </>
  );
}
