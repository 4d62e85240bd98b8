import { type Client, createClient } from '@tallystick/client';
import type { RunningService } from 'tallystick/demo/story-parts';

type Approval = Awaited<ReturnType<Client['approvals']['get']>>;
type Name = 'mia' | 'jo';

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
    for (const approval of waiting.toReversed()) {
      const { id, document, document_digest, rules } = approval;
      const { tenant_id } = document;
      for (const { person, verdict, comment } of opinionsOn(approval).slice(0, rules.approvals)) {
        await this.#clients[person].approvals.decide(id, { tenant_id, verdict, document_digest, comment });
        count[verdict === 'grant' ? 'granted' : 'denied'] += 1;
      }
    }
    return count;
  }
}
