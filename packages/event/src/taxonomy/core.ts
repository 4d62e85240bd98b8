import { outcomeShape } from '../schema/event.ts';
import { defineTaxonomy, typesOf } from './taxonomy.ts';

const payload = { outcome: outcomeShape };

/** Event types that almost every service needs. */
export const core = defineTaxonomy({
  name: 'core',
  types: {
    ...typesOf('auth', payload, {
      'auth.login': 'A login was attempted',
      'auth.logout': 'A session was ended',
      'auth.mfa_challenged': 'A second factor was requested',
      'auth.password_changed': 'A password was changed',
      'auth.token_issued': 'A token or key was issued',
      'auth.token_revoked': 'A token or key was revoked',
    }),
    ...typesOf('access', payload, {
      'access.granted': 'A permission was granted',
      'access.denied': 'A request was denied',
      'access.revoked': 'A permission was revoked',
      'access.role_changed': 'Roles were changed',
      'access.impersonated': 'An actor used the identity of another actor',
    }),
    ...typesOf('data', payload, {
      'data.created': 'Data was created',
      'data.read': 'Data was read',
      'data.updated': 'Data was changed',
      'data.deleted': 'Data was deleted',
      'data.exported': 'Data was exported',
      'data.imported': 'Data was imported',
      'data.shared': 'Data was made visible to others',
    }),
    ...typesOf('config', payload, {
      'config.changed': 'Configuration was changed',
      'config.secret_rotated': 'A secret was rotated',
      'config.feature_toggled': 'A feature was switched',
    }),
    ...typesOf('content', payload, {
      'content.create': 'Content was created',
      'content.update': 'Content was changed',
      'content.publish': 'Content was published',
      'content.unpublish': 'Content was withdrawn',
      'content.delete': 'Content was deleted',
    }),
    ...typesOf('approval', payload, {
      'approval.requested': 'An approval was requested',
      'approval.granted': 'An approval was given',
      'approval.denied': 'An approval was refused',
      'approval.timed_out': 'An approval was not given in time',
    }),
    ...typesOf('agent', payload, {
      'agent.started': 'An agent began a task',
      'agent.decided': 'An agent took a decision',
      'agent.handed_off': 'An agent passed its task on',
      'agent.completed': 'An agent finished a task',
      'agent.failed': 'An agent gave up',
    }),
    ...typesOf('tool', payload, {
      'tool.called': 'A tool was called',
      'tool.completed': 'A tool returned',
      'tool.failed': 'A tool failed',
      'tool.blocked': 'A tool call was refused',
    }),
    ...typesOf('system', payload, {
      'system.started': 'A service started',
      'system.stopped': 'A service stopped',
      'system.deployed': 'A version was deployed',
      'system.job_completed': 'A scheduled job ended',
    }),
  },
});
