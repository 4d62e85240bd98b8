import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { TLSSocket } from 'node:tls';
import { freePort, makeCertificates, sharedPostgres, tempDir } from '@tallystick/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { tally } from '../../run-tally.ts';

// A wrong password looked like a closed port: "can't open the store: no connection to PostgreSQL".

let right: URL;
beforeAll(async () => {
  right = new URL((await (await sharedPostgres()).createDatabase()).url);
});

const run = {
  serve: (url: string) =>
    tally(['serve', '--log-name', 'audit.test', '--signer-dir', '/nowhere'], {
      env: { TALLYSTICK_DATABASE_URL: url },
    }),
  migrate: (url: string) => tally(['migrate'], { env: { TALLYSTICK_DATABASE_URL: url } }),
};

/** A server that offers TLS with a certificate that nobody trusts, or refuses TLS. */
async function tlsServer(certificate?: { cert: string; key: string }): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write(certificate === undefined ? 'N' : 'S');
      if (certificate === undefined) return;
      new TLSSocket(socket, { isServer: true, ...certificate }).on('error', () => {}).resume();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

describe.each(['serve', 'migrate'] as const)('tally %s names what is wrong with the address', (command) => {
  const expectFault = async (change: (url: URL) => void, message: RegExp, hint: RegExp) => {
    const url = new URL(right);
    change(url);
    const { stderr, exitCode } = await run[command](url.href);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/\(STORE_UNAVAILABLE\)/);
    expect(stderr).toMatch(hint);
    expect(exitCode).toBe(4);
    if (url.password !== '') expect(stderr).not.toContain(url.password);
  };

  test('a wrong password, and none', async () => {
    await expectFault(
      (url) => {
        url.password = 'wrong-secret';
      },
      /the server 127\.0\.0\.1:\d+ refuses the password of the login postgres/,
      /hint: correct the password/,
    );
    await expectFault(
      (url) => {
        url.password = '';
      },
      /the address has no password/,
      /hint: add it to the address/,
    );
  });

  test('a login that may not log in', async () => {
    const pg = await import('pg');
    const admin = new pg.default.Client({ connectionString: right.href });
    await admin.connect();
    const login = `closed_${Date.now()}_${command}`;
    await admin.query(`create role ${login} nologin password 'x'`);
    await admin.end();
    await expectFault(
      (url) => {
        url.username = login;
        url.password = 'x';
      },
      new RegExp(`refuses the login ${login}: role ".*" is not permitted to log in`),
      /hint: create the login/,
    );
  });

  test('a database that is not there', async () => {
    await expectFault(
      (url) => {
        url.pathname = '/no_such_database';
      },
      /has no database no_such_database/,
      /hint: correct the name/,
    );
  });

  test('a host that is not there, and a closed port', async () => {
    await expectFault(
      (url) => {
        url.hostname = 'no-such-host.invalid';
      },
      /the host no-such-host\.invalid is not known \((ENOTFOUND|EAI_AGAIN)\)/,
      /hint: correct the host/,
    );
    const port = await freePort();
    await expectFault(
      (url) => {
        url.port = String(port);
      },
      new RegExp(`no server listens on 127\\.0\\.0\\.1:${port} \\(ECONNREFUSED\\)`),
      /hint: start PostgreSQL/,
    );
  });

  test('a certificate that is not trusted, and a server without TLS', async () => {
    using dir = tempDir();
    for (const [certificate, message, hint] of [
      [
        makeCertificates(dir.path).server,
        /the certificate of 127\.0\.0\.1:\d+ is not trusted/,
        /sslrootcert/,
      ],
      [undefined, /does not accept TLS/, /hint: switch TLS on/],
    ] as const) {
      const server = await tlsServer(certificate);
      await expectFault(
        (url) => {
          url.port = String((server.address() as AddressInfo).port);
          url.searchParams.set('sslmode', 'verify-full');
        },
        message,
        hint,
      );
      server.close();
    }
  });
});
