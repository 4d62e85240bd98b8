import { createRequire } from 'node:module';
import type { DatabaseSync } from 'node:sqlite';
import { invalidConfig } from '../configuration.ts';

const require = createRequire(import.meta.url);

/**
 * Opens an SQLite file with the module of Node.js. An import of that module would end on an older Node.js with "No such built-in
 * module", before any code could say what is needed.
 *
 * @throws {AuditError} `CONFIG_INVALID` on a Node.js without the module
 */
export function openSqlite(path: string): DatabaseSync {
  return new (sqliteModule().DatabaseSync)(path);
}

function sqliteModule(): typeof import('node:sqlite') {
  try {
    return require('node:sqlite');
  } catch {
    throw invalidConfig(`the spool needs Node.js 22.22 or later, and it runs on ${process.versions.node}`);
  }
}
