'use strict';
const { existsSync } = require('node:fs');
const module_ = require('node:module');
const { join } = require('node:path');

// The agent of a hook takes 2 for a denial, and every other failure for permission. Options may stand before the command.
const mayBeHook = process.argv.includes('hook');
const failure = (code) => (mayBeHook ? 2 : code);
// An error that nothing catches ends Node with 1.
if (mayBeHook) {
  process.on('uncaughtException', (error) => {
    process.stderr.write(`error: the hook failed: ${error.name} (INTERNAL)\n`);
    process.exit(failure(1));
  });
}

// A published package holds no sources, so their presence means the repository, where sources are what runs;
// TALLYSTICK_SOURCE=0 runs the build there.
const sources = join(__dirname, '../src/main.ts');
const fromSources = process.env.TALLYSTICK_SOURCE !== '0' && existsSync(sources);

if (fromSources && Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(
    `error: the sources need Node.js 24, this is ${process.versions.node} (NODE_TOO_OLD)\n` +
      'In the repository, npx tallystick uses the Node.js that npm installed.\n',
  );
  process.exit(failure(3));
}

if (fromSources) {
  module_.registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier, { ...context, conditions: [...context.conditions, 'tallystick-source'] }),
  });
}

// node:sqlite and type stripping announce themselves as experimental on Node 22. The reader of an audit tool's
// stderr can do nothing about either; every other warning passes.
const emitWarning = process.emitWarning;
process.emitWarning = (warning, ...rest) => {
  const text = String(warning);
  const type = typeof rest[0] === 'string' ? rest[0] : (rest[0]?.type ?? warning?.name);
  if (type === 'ExperimentalWarning' && /SQLite|Type Stripping/i.test(text)) return;
  emitWarning.call(process, warning, ...rest);
};

import(fromSources ? '../src/main.ts' : '../dist/main.js').then(
  ({ main }) => main(),
  (error) => {
    process.stderr.write(`error: tally can't start: ${error.message} (START)\n`);
    process.exitCode = failure(4);
  },
);
