// The command line.

const CERTIFICATES = ['valid', 'expired', 'wrong-host', 'unknown-ca'];

export const HELP = `Usage: motherduck-local-endpoint [options]

A local stand-in for MotherDuck's Postgres endpoint: embedded DuckDB behind the PostgreSQL wire protocol, over TLS.
When it listens it prints one line of JSON on standard output; its log goes to standard error.

  --host ADDRESS               where to listen (default 127.0.0.1)
  --port N                     the port, 0 for any that is free (default 5432)
  --data DIR                   keep databases and certificate authority in this folder (default: in memory)
  --ca-dir DIR                 keep the certificate authority in this folder (default: that of --data)
  --token T                    a token to take as password; may be repeated (default: local)
  --read-only-token T          a token whose sessions may not write; may be repeated
  --token-file FILE            a file of tokens, one a line, read anew at each login
  --ready-status idle|truthful what ReadyForQuery says: always idle, as the real endpoint was seen to do (default),
                               or the session's true transaction status
  --certificate KIND           ${CERTIFICATES.join(' | ')} (default valid); the others are for tests of clients
  --max-message BYTES          the largest message to take from a client (default 268435456)
  --max-download BYTES         the largest remote file to read (default 1073741824)
  --azure-connection-string S  for az:// and azure:// reads
  --exit-with-stdin            stop when standard input closes
  --quiet                      no log
  --help                       this text

Environment: MOTHERDUCK_LOCAL_TOKEN and MOTHERDUCK_LOCAL_READ_ONLY_TOKEN are tokens too, AZURE_STORAGE_CONNECTION_STRING
is the connection string. They suit secrets better than a command line, which others on the machine can read.

Exit codes: 0 after SIGINT or SIGTERM, 1 for a fault, 2 for a wrong option, 3 where the port is taken.
`;

export class OptionError extends Error {}

const whole = (name, text, min, max) => {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max) throw new OptionError(`${name} must be a whole number from ${min} to ${max}, not "${text}"`);
  return value;
};

const oneOf = (name, text, values) => {
  if (!values.includes(text)) throw new OptionError(`${name} must be one of ${values.join(', ')}, not "${text}"`);
  return text;
};

const nonEmpty = (name, text) => {
  if (text === '') throw new OptionError(`${name} must not be empty`);
  return text;
};

const VALUES = {
  '--host': (o, v) => (o.host = nonEmpty('--host', v)),
  '--port': (o, v) => (o.port = whole('--port', v, 0, 65535)),
  '--data': (o, v) => (o.data = nonEmpty('--data', v)),
  '--ca-dir': (o, v) => (o.caDirectory = nonEmpty('--ca-dir', v)),
  '--token': (o, v) => o.tokens.push(nonEmpty('--token', v)),
  '--read-only-token': (o, v) => o.readOnlyTokens.push(nonEmpty('--read-only-token', v)),
  '--token-file': (o, v) => (o.tokenFile = nonEmpty('--token-file', v)),
  '--ready-status': (o, v) => (o.readyStatus = oneOf('--ready-status', v, ['idle', 'truthful'])),
  '--certificate': (o, v) => (o.certificate = oneOf('--certificate', v, CERTIFICATES)),
  '--max-message': (o, v) => (o.maxMessage = whole('--max-message', v, 1024, 1073741824)),
  '--max-download': (o, v) => (o.maxDownload = whole('--max-download', v, 1, Number.MAX_SAFE_INTEGER)),
  '--azure-connection-string': (o, v) => (o.azure = v),
};

const FLAGS = {
  '--exit-with-stdin': (o) => (o.exitWithStdin = true),
  '--quiet': (o) => (o.quiet = true),
  '--help': (o) => (o.help = true),
  '-h': (o) => (o.help = true),
};

export function parseOptions(args, env) {
  const options = {
    host: '127.0.0.1',
    port: 5432,
    data: null,
    caDirectory: null,
    tokens: [],
    readOnlyTokens: [],
    tokenFile: null,
    readyStatus: 'idle',
    certificate: 'valid',
    maxMessage: 268435456,
    maxDownload: 1073741824,
    azure: env.AZURE_STORAGE_CONNECTION_STRING ?? '',
    exitWithStdin: false,
    quiet: false,
    help: false,
  };
  for (let i = 0; i < args.length; i++) {
    const [, name, inline] = /^(--?[^=]+)(?:=(.*))?$/s.exec(args[i]) ?? [null, args[i]];
    if (FLAGS[name] && inline === undefined) FLAGS[name](options);
    else if (VALUES[name]) {
      const value = inline ?? args[++i];
      if (value === undefined) throw new OptionError(`${name} needs a value`);
      VALUES[name](options, value);
    } else throw new OptionError(`unknown option ${JSON.stringify(name)}; --help lists the options`);
  }
  if (env.MOTHERDUCK_LOCAL_TOKEN) options.tokens.push(env.MOTHERDUCK_LOCAL_TOKEN);
  if (env.MOTHERDUCK_LOCAL_READ_ONLY_TOKEN) options.readOnlyTokens.push(env.MOTHERDUCK_LOCAL_READ_ONLY_TOKEN);
  if (options.tokens.length === 0 && options.tokenFile === null) options.tokens.push('local');
  return options;
}
