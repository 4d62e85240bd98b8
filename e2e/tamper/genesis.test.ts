import type { Session } from '@tallystick/server/store';
import { describe, expect, test } from 'vitest';
import { rewriteRecords } from '../../packages/cli/src/demo/attacks.ts';
import { onEachTrail, places, victim } from './crimes.ts';
import { acme } from './trail.ts';

onEachTrail((trail) => {
  describe('the genesis record', () => {
    const genesisOf = (change: (event: Record<string, unknown>) => object) => (session: Session) =>
      rewriteRecords(session, { tenantId: acme }, ({ event, sequence_number }) =>
        sequence_number === 0 ? { event: change(event as never) as never } : {},
      );

    test('of another log', async () => {
      const report = await trail().after(
        genesisOf((event) => ({
          ...event,
          metadata: { ...(event.metadata as object), origin: `other.example.com/${acme}/1` },
        })),
      );
      expect(report.findings[0]).toMatchObject({ code: 'GENESIS_INVALID', sequence_number: 0 });
    });

    test('made an ordinary record', async () => {
      const report = await trail().after(genesisOf((event) => ({ ...event, event_type: 'access.granted' })));
      expect(places(report)).toContain('GENESIS_INVALID@0');
    });

    test('deleted, and one in mid-chain', async () => {
      const remove = (session: Session) =>
        session.query('delete from audit_records where tenant_id = $1 and sequence_number = 0', [acme]);
      expect(places(await trail().after(remove))[0]).toBe('SEQUENCE_GAP@1');
      const report = await trail().after((session) =>
        rewriteRecords(session, { tenantId: acme }, ({ event, sequence_number }) =>
          sequence_number === victim ? { event: { ...event, event_type: 'system.genesis' } } : {},
        ),
      );
      expect(places(report)).toContain(`GENESIS_INVALID@${victim}`);
    });
  });
});
