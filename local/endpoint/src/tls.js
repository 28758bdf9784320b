// The endpoint's certificates: a certificate authority of its own, made once and kept, and for each start a server
// certificate that it signs. For tests there are certificates that a client must refuse.

import 'reflect-metadata';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { randomBytes, webcrypto } from 'node:crypto';
import path from 'node:path';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(webcrypto);

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY = 86_400_000;
const NAME = 'CN=MotherDuck local endpoint CA, O=Local development only';

/**
 * The key and certificate to serve with: `kind` is valid, expired, wrong-host or unknown-ca. And the file of the authority that a
 * client has to trust.
 */
export async function serverCertificate(directory, kind) {
  await mkdir(directory, { recursive: true });
  const kept = await authority(directory);
  const signer = kind === 'unknown-ca' ? await makeAuthority() : kept;
  const now = Date.now();
  const expired = kind === 'expired';
  const names = kind === 'wrong-host' ? ['wrong-host.invalid'] : ['localhost', '127.0.0.1', '::1'];
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: serial(),
      subject: `CN=${names[0]}`,
      issuer: signer.certificate.subject,
      notBefore: new Date(now - (expired ? 30 : 1) * DAY),
      notAfter: new Date(expired ? now - DAY : now + 90 * DAY),
      signingKey: signer.key,
      publicKey: keys.publicKey,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: /^[\d.]+$|:/.test(value) ? 'ip' : 'dns', value }))),
        await x509.AuthorityKeyIdentifierExtension.create(signer.certificate.publicKey),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    },
    webcrypto,
  );
  return { key: await keyPem(keys.privateKey), cert: certificate.toString('pem'), caFile: path.join(directory, 'ca.pem') };
}

/** The authority in this folder: the one that is kept there, or a new one where there is none that is still good. */
async function authority(directory) {
  const secretFile = path.join(directory, 'ca-with-key.pem');
  for (let attempt = 0; ; attempt++) {
    const kept = await load(secretFile);
    if (kept?.good) {
      await publish(path.join(directory, 'ca.pem'), kept.certificate.toString('pem'));
      return kept;
    }
    if (attempt === 5) throw new Error(`the certificate authority in ${directory} cannot be read`);
    // Key and certificate are one file, so that no reader ever sees halves of two authorities. A link fails where the
    // file exists: of several endpoints that start at once, one wins and the others read what it made.
    const made = await makeAuthority();
    const temporary = `${secretFile}.${process.pid}.${randomBytes(4).toString('hex')}`;
    await writeFile(temporary, `${await keyPem(made.key)}\n${made.certificate.toString('pem')}\n`, { mode: 0o600 });
    try {
      if (kept) await rename(temporary, secretFile);
      else await link(temporary, secretFile);
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    } finally {
      await rm(temporary, { force: true });
    }
  }
}

async function publish(file, pem) {
  const text = `${pem}\n`;
  if ((await readFile(file, 'utf8').catch(() => null)) === text) return;
  const temporary = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  await writeFile(temporary, text);
  await rename(temporary, file);
}

async function load(file) {
  let text;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
  try {
    const [key] = x509.PemConverter.decode(/-----BEGIN PRIVATE KEY-----[\s\S]*?-----END PRIVATE KEY-----/.exec(text)[0]);
    const certificate = new x509.X509Certificate(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/.exec(text)[0]);
    return {
      key: await webcrypto.subtle.importKey('pkcs8', key, ALGORITHM, true, ['sign']),
      certificate,
      // It must outlive the certificates that it signs today.
      good: certificate.notAfter.getTime() > Date.now() + 100 * DAY,
    };
  } catch {
    return { good: false };
  }
}

async function makeAuthority() {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const now = Date.now();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serial(),
      name: NAME,
      notBefore: new Date(now - DAY),
      notAfter: new Date(now + 3650 * DAY),
      keys,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    },
    webcrypto,
  );
  return { key: keys.privateKey, certificate };
}

const serial = () => `01${randomBytes(15).toString('hex')}`;

async function keyPem(key) {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}
