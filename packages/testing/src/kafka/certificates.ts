import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** In PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface Certificates {
  /** The certificate of the authority that signed the others. */
  readonly ca: string;
  /** For 127.0.0.1 and localhost. */
  readonly server: Certificate;
  /** For a client with the common name `client`. */
  readonly client: Certificate;
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Makes a certificate authority, and two certificates that it signs, valid for a day. Needs OpenSSL 3.0 or later. */
export function makeCertificates(dir: string): Certificates {
  const make = (name: string, options: string[]): Certificate => {
    const [cert, key] = [join(dir, `${name}.pem`), join(dir, `${name}.key`)];
    const out = ['-x509', ...KEY, '-days', '1', '-keyout', key, '-out', cert, '-subj', `/CN=${name}`];
    execFileSync('openssl', ['req', ...out, ...options], { stdio: 'pipe' });
    // Kafka reads key and certificate from one file.
    writeFileSync(join(dir, `${name}.both.pem`), readFileSync(key, 'utf8') + readFileSync(cert, 'utf8'));
    return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
  };
  const ca = make('ca', []).cert;
  const signed = ['-CA', join(dir, 'ca.pem'), '-CAkey', join(dir, 'ca.key')];
  const names = ['-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
  return { ca, server: make('server', [...signed, ...names]), client: make('client', signed) };
}
