// What goes to a client as an ErrorResponse. The endpoint has few SQLSTATEs: nearly everything is XX000, and the message,
// DuckDB's own, says what happened.

export const SQLSTATE = {
  wrongToken: '28P01',
  unknownDatabase: '3D000',
  cancelled: '57014',
  unparsable: '42601',
  engine: 'XX000',
};

export class EndpointError extends Error {
  constructor(message, code = SQLSTATE.engine) {
    super(message);
    this.code = code;
  }
}

/** An error after which the connection is closed. */
export class FatalError extends EndpointError {
  constructor(message, code = SQLSTATE.engine) {
    super(message, code);
    this.fatal = true;
  }
}

/** A statement that the real endpoint, and so this one, does not take. */
export const refused = (message) => new EndpointError(`Permission Error: ${message}`);

/** The error that DuckDB threw, with its message as it is. */
export function fromEngine(error) {
  if (error instanceof EndpointError) return error;
  // The client library's own prefix: it is not DuckDB's and no server would send it.
  const message = String(error?.message ?? error).replace(/^Failed to extract statements: /, '');
  if (message.startsWith('INTERRUPT Error')) return new EndpointError(message, SQLSTATE.cancelled);
  if (message.startsWith('Parser Error')) return new EndpointError(message, SQLSTATE.unparsable);
  return new EndpointError(message);
}
