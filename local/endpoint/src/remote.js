// Remote files. DuckDB's httpfs extension cannot be assumed to be there, so the endpoint fetches what a statement names
// into a cache folder, the only one that DuckDB may read, and lets the statement read it from there. Statements that run
// at the same time share a download. It stays for a moment after the last of them, as a load asks for the columns of a
// file before it reads the rows; who comes then reads it if the ETag says that it is still the same.

import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EndpointError, SQLSTATE } from './errors.js';

const MAX_REDIRECTS = 5;
const IDLE_TIMEOUT = 60_000;
const KEEP = 2_000;

/** For logs: what follows the question mark may be a secret. */
export const maskUrl = (url) => url.replace(/\?[\s\S]*$/, '?***').replace(/\/\/[^/@]*@/, '//***@');

const statusText = (status) => http.STATUS_CODES[status] ?? 'Unknown';

export class RemoteFiles {
  constructor({ directory, maxDownload, azure, log }) {
    this.directory = directory;
    this.maxDownload = maxDownload;
    this.azure = azure;
    this.log = log;
    this.entries = new Map();
  }

  /** Fetches what one argument names. Gives the paths, and what must be called when the statement is done with them. */
  async acquire(urls, signal) {
    const held = [];
    const release = () => Promise.all(held.splice(0).map((entry) => this.release(entry)));
    try {
      const files = [];
      for (const url of urls) {
        if (/^https?:/i.test(url)) files.push({ url, source: (aborted) => this.http(url, aborted) });
        else files.push(...(await this.azure.expand(url, signal)));
      }
      const entries = await Promise.all(
        files.map(async (file) => {
          const entry = await this.fetch(file, signal);
          held.push(entry);
          return entry;
        }),
      );
      return { files: entries.map((entry) => ({ url: entry.url, path: entry.path })), release };
    } catch (error) {
      await release();
      throw error;
    }
  }

  /** One file: the download that another statement has under way or in use, if it is still the same file, or a new one. */
  async fetch(file, signal) {
    const known = this.entries.get(file.url);
    if (known && !known.failed) {
      known.users++;
      clearTimeout(known.timer);
      const underWay = !known.complete;
      try {
        await abortable(known.ready, signal);
        if (underWay || (known.etag && (await this.unchanged(file, known, signal)))) return known;
      } catch (error) {
        await this.release(known);
        throw error;
      }
      this.forget(known);
      await this.release(known);
    }
    return this.download(file, signal);
  }

  async download(file, signal) {
    const folder = path.join(this.directory, randomBytes(12).toString('hex'));
    const entry = { url: file.url, folder, path: path.join(folder, fileName(file.url)), users: 1, complete: false };
    this.entries.set(file.url, entry);
    // The download belongs to all who wait for it: it is aborted when the last of them goes.
    entry.abort = new AbortController();
    entry.ready = this.store(file, entry).finally(() => (entry.complete = true));
    entry.ready.catch(() => (entry.failed = true));
    try {
      await abortable(entry.ready, signal);
      return entry;
    } catch (error) {
      await this.release(entry);
      throw error;
    }
  }

  async store(file, entry) {
    const started = Date.now();
    await mkdir(entry.folder, { recursive: true, mode: 0o700 });
    const { source } = file;
    const { stream, length, etag } = await source(entry.abort.signal);
    if (length !== null && length > this.maxDownload) {
      stream.destroy();
      throw this.tooLarge(file.url, length);
    }
    entry.etag = etag;
    let received = 0;
    const count = new Transform({
      transform: (chunk, _, done) => {
        received += chunk.length;
        done(received > this.maxDownload ? this.tooLarge(file.url, received) : null, chunk);
      },
    });
    try {
      await pipeline(stream, count, createWriteStream(entry.path, { mode: 0o600 }), { signal: entry.abort.signal });
    } catch (error) {
      if (error instanceof EndpointError) throw error;
      throw new EndpointError(`IO Error: The connection was cut while reading '${file.url}': ${received} of ${length ?? 'an unknown number of'} bytes arrived`);
    }
    if (length !== null && received !== length) {
      throw new EndpointError(`IO Error: The connection was cut while reading '${file.url}': ${received} of ${length} bytes arrived`);
    }
    this.log(`read ${maskUrl(file.url)}: ${received} bytes in ${Date.now() - started} ms`);
  }

  tooLarge(url, size) {
    return new EndpointError(`IO Error: '${url}' has ${size} bytes or more: the local endpoint reads files of up to ${this.maxDownload} bytes (--max-download)`);
  }

  async unchanged(file, entry, signal) {
    if (!/^https?:/i.test(file.url)) return file.etag === entry.etag;
    try {
      const response = await this.request(file.url, { 'if-none-match': entry.etag }, signal);
      response.destroy();
      return response.statusCode === 304 || (response.statusCode === 200 && response.headers.etag === entry.etag);
    } catch {
      return false;
    }
  }

  async http(url, signal) {
    const response = await this.request(url, {}, signal);
    const status = response.statusCode;
    if (status !== 200) {
      response.destroy();
      if (status === 404 || status === 410) throw new EndpointError(`HTTP Error: Unable to connect to URL "${url}": ${status} (${statusText(status)}).`);
      if (status === 401 || status === 403) throw new EndpointError(`HTTP Error: HTTP GET error on '${url}' (HTTP ${status} ${statusText(status)}): access is denied`);
      throw new EndpointError(`HTTP Error: HTTP GET error on '${url}' (HTTP ${status} ${statusText(status)})`);
    }
    const header = response.headers['content-length'];
    return { stream: response, length: header === undefined ? null : Number(header), etag: response.headers.etag ?? null };
  }

  async request(url, headers, signal) {
    let current = url;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const response = await this.once(url, current, headers, signal);
      if (![301, 302, 303, 307, 308].includes(response.statusCode) || !response.headers.location) return response;
      response.destroy();
      try {
        current = new URL(response.headers.location, current).href;
      } catch {
        throw new EndpointError(`HTTP Error: '${url}' redirects to an address that cannot be read`);
      }
      if (!/^https?:/i.test(current)) throw new EndpointError(`HTTP Error: '${url}' redirects to something that is not http or https`);
    }
    throw new EndpointError(`HTTP Error: '${url}' redirects more than ${MAX_REDIRECTS} times`);
  }

  once(url, current, headers, signal) {
    return new Promise((resolve, reject) => {
      let target;
      try {
        target = new URL(current);
      } catch {
        reject(new EndpointError(`IO Error: '${url}' is not a URL`));
        return;
      }
      const client = target.protocol === 'https:' ? https : http;
      const request = client.get(target, { headers: { 'accept-encoding': 'identity', 'user-agent': 'motherduck-local-endpoint', ...headers }, signal, agent: false });
      request.setTimeout(IDLE_TIMEOUT, () => request.destroy(new Error('timed out')));
      request.on('response', resolve);
      request.on('error', (error) => reject(new EndpointError(`IO Error: Could not establish connection error for HTTP GET to '${url}' (${error.code ?? error.message})`)));
    });
  }

  async release(entry) {
    if (--entry.users > 0) return;
    if (entry.complete && !entry.failed && entry.etag && this.entries.get(entry.url) === entry) {
      entry.timer = setTimeout(() => this.remove(entry), KEEP).unref();
      return;
    }
    await this.remove(entry);
  }

  async remove(entry) {
    this.forget(entry);
    entry.abort.abort();
    await entry.ready.catch(() => {});
    await rm(entry.folder, { recursive: true, force: true });
  }

  forget(entry) {
    if (this.entries.get(entry.url) === entry) this.entries.delete(entry.url);
  }
}

/** The promise, or an error as soon as the statement is cancelled. */
function abortable(promise, signal) {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const cancelled = () => reject(new EndpointError('INTERRUPT Error: Interrupted!', SQLSTATE.cancelled));
    if (signal.aborted) return cancelled();
    signal.addEventListener('abort', cancelled, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', cancelled));
  });
}

/** A name for the cached file that ends as the URL's does: DuckDB tells formats and compression by it. */
function fileName(url) {
  const base = decode(url.replace(/^[a-z]+:\/\/[^/]*/i, '').split(/[?#]/)[0].split('/').pop() ?? '');
  return base.replace(/[^A-Za-z0-9._-]/g, '_').replace(/^\.+/, '').slice(-100) || 'data';
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
