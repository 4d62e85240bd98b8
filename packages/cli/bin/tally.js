#!/usr/bin/env node
// CommonJS and ES5, so that a Node of any age gets as far as the message. What needs a new one is in start.js.
'use strict';

var needed = [22, 22];
var parts = process.versions.node.split('.');
var major = Number(parts[0]);
var minor = Number(parts[1]);

if (major < needed[0] || (major === needed[0] && minor < needed[1])) {
  process.stderr.write(
    'error: tally needs Node.js ' +
      needed.join('.') +
      ' or newer, this is ' +
      process.versions.node +
      ' (NODE_TOO_OLD)\n' +
      'Install a current version from https://nodejs.org, or run this command with Node.js 24 from npm: npx -p node@24 tally …\n',
  );
  // The agent of a hook takes 2 for a denial, and every other failure for permission.
  process.exitCode = process.argv.indexOf('hook') > 0 ? 2 : 3;
} else {
  require('./start.js');
}
