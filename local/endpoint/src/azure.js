// az://container/path and azure://account.blob.core.windows.net/container/path, through Microsoft's own client and a
// connection string from the endpoint's settings. The last part of a path, and any other, may hold globs.

import { EndpointError } from './errors.js';

const GLOB = /[*?[\]]/;

export class AzureBlobs {
  constructor(connectionString) {
    this.connectionString = connectionString;
  }

  /** The blobs that a URL names, as files to download. */
  async expand(url, signal) {
    const { account, container, path } = parse(url);
    const service = await this.service(url);
    if (account && service.accountName && account.split('.')[0] !== service.accountName) {
      throw new EndpointError(`IO Error: '${url}' is in the account '${account.split('.')[0]}', but the connection string of the local endpoint is for '${service.accountName}'`);
    }
    const client = service.getContainerClient(container);
    if (!GLOB.test(path)) return [this.file(url, client, path, null)];
    const pattern = globPattern(path);
    const files = [];
    try {
      for await (const blob of client.listBlobsFlat({ prefix: path.slice(0, path.search(GLOB)), abortSignal: signal })) {
        if (!pattern.test(blob.name)) continue;
        const name = url.slice(0, url.length - path.length) + blob.name;
        files.push(this.file(name, client, blob.name, blob.properties.etag));
      }
    } catch (error) {
      throw failure(url, error);
    }
    if (files.length === 0) throw new EndpointError(`IO Error: No files found that match the pattern "${url}"`);
    return files.sort((a, b) => (a.url < b.url ? -1 : 1));
  }

  file(url, container, name, etag) {
    return {
      url,
      etag,
      source: async (abortSignal) => {
        try {
          // A blob that was listed must still be the one that is read.
          const conditions = etag ? { ifMatch: etag } : {};
          const response = await container.getBlobClient(name).download(0, undefined, { abortSignal, conditions, maxRetryRequests: 0 });
          return { stream: response.readableStreamBody, length: response.contentLength ?? null, etag: response.etag ?? null };
        } catch (error) {
          throw failure(url, error);
        }
      },
    };
  }

  async service(url) {
    if (!this.connectionString) {
      throw new EndpointError(`IO Error: '${url}' needs an Azure connection string: start the local endpoint with AZURE_STORAGE_CONNECTION_STRING set, or with --azure-connection-string`);
    }
    if (!this.client) {
      const { BlobServiceClient } = await import('@azure/storage-blob');
      try {
        this.client = BlobServiceClient.fromConnectionString(this.connectionString, { retryOptions: { maxTries: 2, tryTimeoutInMs: 30_000 } });
      } catch {
        throw new EndpointError('IO Error: the Azure connection string of the local endpoint cannot be read');
      }
    }
    return this.client;
  }
}

function parse(url) {
  const [, scheme, rest] = /^([a-z]+):\/\/(.*)$/is.exec(url);
  const parts = rest.split('/');
  let account = null;
  if (/^abfss?$/i.test(scheme) && parts[0].includes('@')) {
    const [container, host] = parts[0].split('@');
    return { account: host, container, path: parts.slice(1).join('/') };
  }
  if (parts[0].includes('.')) account = parts.shift();
  const container = parts.shift();
  const path = parts.join('/');
  if (!container || !path) throw new EndpointError(`IO Error: '${url}' must name a container and a path in it`);
  return { account, container, path };
}

function failure(url, error) {
  if (error instanceof EndpointError) return error;
  const status = error?.statusCode;
  if (status === 404) return new EndpointError(`HTTP Error: Unable to connect to URL "${url}": 404 (${error.code === 'ContainerNotFound' ? 'the container does not exist' : 'the blob does not exist'}).`);
  if (status === 401 || status === 403) return new EndpointError(`HTTP Error: HTTP GET error on '${url}' (HTTP ${status}): access is denied`);
  if (status === 412) return new EndpointError(`IO Error: '${url}' was changed while it was read`);
  if (status) return new EndpointError(`HTTP Error: HTTP GET error on '${url}' (HTTP ${status})`);
  return new EndpointError(`IO Error: Could not establish connection error for HTTP GET to '${url}' (${error?.code ?? error?.name ?? 'unknown'})`);
}

/** DuckDB's globs: * within a part, ** over parts, ? and [..]. */
function globPattern(glob) {
  let source = '';
  for (let i = 0; i < glob.length; i++) {
    const c = glob[i];
    if (c === '*' && glob[i + 1] === '*') {
      const slash = glob[i + 2] === '/';
      source += slash ? '(?:.*/)?' : '.*';
      i += slash ? 2 : 1;
    } else if (c === '*') source += '[^/]*';
    else if (c === '?') source += '[^/]';
    else if (c === '[') {
      const end = glob.indexOf(']', i + 2);
      if (end < 0) source += '\\[';
      else {
        source += `[${glob.slice(i + 1, end).replace(/^!/, '^').replace(/\\/g, '\\\\')}]`;
        i = end;
      }
    } else source += c.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  }
  return new RegExp(`^${source}$`, 's');
}
