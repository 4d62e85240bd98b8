import { rmSync } from 'node:fs';
import { join } from 'node:path';

// The npm package `node` gets its binary from a second package, and links it to node_modules/node/bin. The rest of that package are
// C++ headers (67 MB) to compile native add-ons with. Nothing here compiles one.
rmSync(join(import.meta.dirname, '../node_modules/node/node_modules'), { recursive: true, force: true });
