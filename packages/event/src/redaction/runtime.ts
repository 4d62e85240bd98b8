/**
 * The SDK and the service import this module before anything else that needs a current runtime. So an old one gets this message, and not
 * an error about a missing function.
 */
if (typeof Map.groupBy !== 'function') {
  const node = (globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node;
  const found = node === undefined ? 'this runtime has no Map.groupBy' : `this is ${node}`;
  throw Object.assign(new Error(`Tallystick needs Node.js 22.22 or newer, ${found} (NODE_TOO_OLD)`), {
    code: 'NODE_TOO_OLD',
  });
}

export {};
