import { type ComponentChildren, createContext } from 'preact';
import { useContext, useEffect, useMemo, useState } from 'preact/hooks';

/** A failure that a part of the page has now. */
interface Member {
  /** What it says. */
  readonly text: string;
  readonly retry: (() => void) | undefined;
}

/** The failures of a page with several parts, which often have one cause. */
interface Group {
  readonly members: ReadonlySet<Member>;
  /** @returns what takes the failure out again */
  join(member: Member): () => void;
}

const FailureGroups = createContext<Group | undefined>(undefined);

/** Parts of a page that fail for the same reason say it once. Its retry is that of all of them. */
export function FailureGroup({ children }: { readonly children: ComponentChildren }) {
  const [members, setMembers] = useState<ReadonlySet<Member>>(new Set());
  const group = useMemo(
    () => ({
      members,
      join: (member: Member) => {
        setMembers((now) => new Set(now).add(member));
        return () => setMembers((now) => new Set([...now].filter((each) => each !== member)));
      },
    }),
    [members],
  );
  return <FailureGroups.Provider value={group}>{children}</FailureGroups.Provider>;
}

/** Whether this failure is the one of its group that is shown, and what its retry does. Without a group it stands for itself. */
export function useFailureGroup(
  text: string,
  retry: (() => void) | undefined,
): { readonly isShown: boolean; readonly retryAll: (() => void) | undefined } {
  const group = useContext(FailureGroups);
  const member = useMemo(() => ({ text, retry }), [text, retry]);
  useEffect(() => group?.join(member), [group === undefined, member]);
  if (group === undefined) return { isShown: true, retryAll: retry };
  const same = [...group.members].filter((each) => each.text === text);
  const retries = same.flatMap((each) => each.retry ?? []);
  return {
    isShown: same[0] === member,
    retryAll: retries.length === 0 ? undefined : () => retries.forEach((each) => void each()),
  };
}
