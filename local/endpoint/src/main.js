// Puts the endpoint together, and takes it apart again.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { HELP, OptionError, parseOptions } from './options.js';

export async function run(args, env) {
  let options;
  try {
    options = parseOptions(args, env);
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    process.stderr.write(`motherduck-local-endpoint: ${error.message}\n`);
    process.exitCode = 2;
    return;
  }
  if (options.help) {
    process.stdout.write(HELP);
    return;
  }
  const log = options.quiet ? () => {} : (text) => process.stderr.write(`${new Date().toISOString()} ${text}\n`);
  // An error that nobody expected is told and survived: other sessions go on.
  process.on('uncaughtException', (error) => log(`unexpected: ${error?.stack}`));
  process.on('unhandledRejection', (error) => log(`unexpected: ${error?.stack}`));
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});

  const work = await mkdtemp(path.join(os.tmpdir(), 'motherduck-local-'));
  let databases = null;
  let endpoint = null;
  let stopping = false;
  const stop = async (code) => {
    if (stopping) return;
    stopping = true;
    const last = setTimeout(() => process.exit(code), 3000);
    last.unref();
    try {
      await endpoint?.close();
      await databases?.close();
    } catch (error) {
      log(`while stopping: ${error?.message}`);
    }
    await rm(work, { recursive: true, force: true }).catch(() => {});
    process.exit(code);
  };
  process.on('SIGINT', () => stop(0));
  process.on('SIGTERM', () => stop(0));
  if (options.exitWithStdin) {
    process.stdin.on('end', () => stop(0));
    process.stdin.on('close', () => stop(0));
    process.stdin.on('error', () => stop(0));
    process.stdin.resume();
  }

  try {
    const data = options.data === null ? null : path.resolve(options.data);
    const caDirectory = options.caDirectory === null ? (data ?? path.join(work, 'ca')) : path.resolve(options.caDirectory);
    // Loaded only now, and while DuckDB opens: a wrong option or --help need not wait for them.
    const { Databases } = await import('./databases.js');
    const opening = Databases.open({ dataDirectory: data, workDirectory: work });
    opening.catch(() => {});
    const { serverCertificate } = await import('./tls.js');
    const certificate = await serverCertificate(caDirectory, options.certificate);
    const [{ Endpoint }, { RemoteFiles }, { AzureBlobs }] = await Promise.all([import('./server.js'), import('./remote.js'), import('./azure.js')]);
    databases = await opening;
    const remote = new RemoteFiles({
      directory: databases.cacheDirectory,
      maxDownload: options.maxDownload,
      azure: new AzureBlobs(options.azure),
      log,
    });
    endpoint = new Endpoint({ options, databases, remote, certificate, tokens: () => readTokens(options), log });
    const port = await endpoint.listen(options.port, options.host);
    const ready = { event: 'ready', host: options.host, port, caFile: certificate.caFile, databases: await databases.list() };
    process.stdout.write(`${JSON.stringify(ready)}\n`);
  } catch (error) {
    const taken = error.code === 'EADDRINUSE';
    process.stderr.write(`motherduck-local-endpoint: ${taken ? `port ${options.port} on ${options.host} is taken by another program; choose another with --port` : reason(error)}\n`);
    await stop(taken ? 3 : 1);
  }
}

/** Why it did not start, on one line. */
function reason(error) {
  const message = String(error?.message ?? error);
  if (/Could not set lock on file/.test(message)) return 'the data folder is in use by another endpoint; stop that one, or choose another folder with --data';
  return message.split('\n')[0];
}

/** The tokens now: those of the token file are read at each login, so that tests can change them. */
async function readTokens({ tokens, readOnlyTokens, tokenFile }) {
  if (tokenFile === null) return { write: tokens, read: readOnlyTokens };
  const text = await readFile(tokenFile, 'utf8').catch(() => '');
  const lines = text.split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== '');
  return { write: [...tokens, ...lines], read: readOnlyTokens };
}
