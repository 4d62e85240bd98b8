import { type Client, createClient } from '@tallystick/client';
import type { RunningService } from 'tallystick/demo/story-parts';

type Approval = Awaited<ReturnType<Client['approvals']['get']>>;
type Name = 'mia' | 'jo';

/** As many requests are answered at the same time, if more than these wait: the service then stores many decisions in one transaction. */
const answeredAtOnce = 20;

/** What a person decided about one action. */
interface Opinion {
  readonly person: Name;
  readonly verdict: 'grant' | 'deny';
  readonly comment?: string;
}

/** What two people say about an action that waits. */
function opinionsOn({ document: { action, target } }: Approval): readonly Opinion[] {
  if (action === 'stop_production_line') {
    return [
      { person: 'mia', verdict: 'grant', comment: 'Setpoint 910 is outside of the safe range.' },
      { person: 'jo', verdict: 'grant', comment: 'The shift lead agrees. Stop the line.' },
    ];
  }
  if (target?.id.startsWith('adm.')) {
    return [{ person: 'jo', verdict: 'deny', comment: 'The administrator is travelling, and confirms it.' }];
  }
  return [
    { person: 'mia', verdict: 'grant' },
    { person: 'jo', verdict: 'grant' },
  ];
}

/** Two people at the approval desk of the service. Each has an API key of their own, which can decide and nothing else. */
export class People {
  readonly #clients: { readonly [N in Name]: Client };

  private constructor(clients: { readonly [N in Name]: Client }) {
    this.#clients = clients;
  }

  static async with({ service, url }: RunningService): Promise<People> {
    const clientOf = async (subject: Name) => {
      const { key } = await service.keys.create({ name: subject, subject, scopes: ['approvals:decide'] });
      return createClient({ url, apiKey: key });
    };
    return new People({ mia: await clientOf('mia'), jo: await clientOf('jo') });
  }

  /** Answers everything that waits, the oldest request first. @returns how many decisions there were */
  async answer(): Promise<{ readonly granted: number; readonly denied: number }> {
    const waiting: Approval[] = [];
    for await (const approval of this.#clients.mia.approvals.listAll({ state: 'pending' }))
      waiting.push(approval);
    const count = { granted: 0, denied: 0 };
    waiting.reverse();
    const atOnce = waiting.length > answeredAtOnce ? answeredAtOnce : 1;
    for (let at = 0; at < waiting.length; at += atOnce) {
      await Promise.all(
        waiting.slice(at, at + atOnce).map(async (approval) => {
          for (const verdict of await this.#decide(approval)) count[verdict] += 1;
        }),
      );
    }
    return count;
  }

  /** One person after the other, until the approval has as many decisions as it needs. */
  async #decide(approval: Approval): Promise<readonly ('granted' | 'denied')[]> {
    const { id, document, document_digest, rules } = approval;
    const { tenant_id } = document;
    const opinions = opinionsOn(approval).slice(0, rules.approvals);
    for (const { person, verdict, comment } of opinions)
      await this.#clients[person].approvals.decide(id, { tenant_id, verdict, document_digest, comment });
    return opinions.map(({ verdict }) => (verdict === 'grant' ? 'granted' : 'denied'));
  }
}
