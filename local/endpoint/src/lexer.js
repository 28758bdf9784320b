// Splits SQL text into tokens by the rules of DuckDB's own lexer, so that the policy never mistakes what stands in a
// string, a quoted identifier or a comment for a statement, and is never fooled by them either.

// DuckDB takes the spaces of Unicode for spaces too.
const isUnicodeSpace = (c) =>
  c === 0xa0 || (c >= 0x2000 && c <= 0x200f) || c === 0x202f || c === 0x205f || c === 0x3000 || c === 0xfeff;
const isSpace = (c) => c === 32 || (c >= 9 && c <= 13) || (c >= 0x80 && isUnicodeSpace(c));
const isDigit = (c) => c >= 48 && c <= 57;
const isIdentStart = (c) => (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || c === 95 || (c >= 0x80 && !isUnicodeSpace(c));
const isIdentPart = (c) => isIdentStart(c) || isDigit(c) || c === 36;

/**
 * A token: `kind` is word, quoted (a quoted identifier), string, number, param or punct; `value` is what it stands for
 * (a word in lower case, a string without its quotes), `start` and `end` are where it stands in the text.
 * An unfinished string or comment ends the list with a token of kind `unterminated`: DuckDB's parser words the error.
 */
export function tokenize(sql) {
  const tokens = [];
  const length = sql.length;
  let at = 0;
  const push = (kind, value, start, end) => tokens.push({ kind, value, start, end });

  while (at < length) {
    const c = sql.charCodeAt(at);
    if (isSpace(c)) {
      at++;
      continue;
    }
    const next = at + 1 < length ? sql.charCodeAt(at + 1) : 0;
    if (c === 45 && next === 45) {
      // A line comment.
      while (at < length && sql[at] !== '\n' && sql[at] !== '\r') at++;
      continue;
    }
    if (c === 47 && next === 42) {
      const end = endOfComment(sql, at);
      if (end < 0) {
        push('unterminated', 'comment', at, length);
        return tokens;
      }
      at = end;
      continue;
    }
    if (c === 39 || c === 34) {
      const end = endOfQuoted(sql, at, c, false);
      if (end < 0) {
        push('unterminated', 'quote', at, length);
        return tokens;
      }
      const quote = sql[at];
      push(c === 39 ? 'string' : 'quoted', sql.slice(at + 1, end - 1).replaceAll(quote + quote, quote), at, end);
      at = end;
      continue;
    }
    if (isIdentStart(c)) {
      // E'..', B'..', X'..' and N'..' are strings, U&'..' and U&".." too.
      const lower = c | 32;
      if (next === 39 && (lower === 101 || lower === 98 || lower === 120 || lower === 110)) {
        const escapes = lower === 101;
        const end = endOfQuoted(sql, at + 1, 39, escapes);
        if (end < 0) {
          push('unterminated', 'quote', at, length);
          return tokens;
        }
        const raw = sql.slice(at + 2, end - 1);
        push('string', escapes ? unescape(raw) : raw.replaceAll("''", "'"), at, end);
        tokens[tokens.length - 1].prefix = String.fromCharCode(lower);
        at = end;
        continue;
      }
      const start = at++;
      while (at < length && isIdentPart(sql.charCodeAt(at))) at++;
      push('word', sql.slice(start, at).toLowerCase(), start, at);
      continue;
    }
    if (isDigit(c) || (c === 46 && isDigit(next))) {
      const start = at;
      while (at < length && (isIdentPart(sql.charCodeAt(at)) || sql[at] === '.')) {
        const exponent = (sql.charCodeAt(at) | 32) === 101 && !/^0[xX]/.test(sql.slice(start, start + 2));
        at++;
        if (exponent && (sql[at] === '+' || sql[at] === '-') && isDigit(sql.charCodeAt(at + 1))) at++;
      }
      push('number', sql.slice(start, at), start, at);
      continue;
    }
    if (c === 36) {
      if (isDigit(next) || isIdentStart(next) || next === 36) {
        const tag = /^\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$/.exec(sql.slice(at, at + 300))?.[0];
        if (tag) {
          const close = sql.indexOf(tag, at + tag.length);
          if (close < 0) {
            push('unterminated', 'dollar', at, length);
            return tokens;
          }
          push('string', sql.slice(at + tag.length, close), at, close + tag.length);
          at = close + tag.length;
          continue;
        }
        const start = at++;
        while (at < length && isIdentPart(sql.charCodeAt(at)) && sql[at] !== '$') at++;
        push('param', sql.slice(start + 1, at), start, at);
        continue;
      }
    }
    if (c === 63) {
      push('param', '?', at, at + 1);
      at++;
      continue;
    }
    const two = sql.slice(at, at + 2);
    const width = two === '::' || two === ':=' || two === '=>' || two === '->' || two === '||' ? 2 : 1;
    push('punct', sql.slice(at, at + width), at, at + width);
    at += width;
  }
  return tokens;
}

/** Where a (nested) block comment that begins at `at` ends, or -1. */
function endOfComment(sql, at) {
  let depth = 0;
  while (at < sql.length) {
    if (sql.startsWith('/*', at)) {
      depth++;
      at += 2;
    } else if (sql.startsWith('*/', at)) {
      at += 2;
      if (--depth === 0) return at;
    } else {
      at++;
    }
  }
  return -1;
}

/** Where a quoted text whose opening quote is at `at` ends, or -1; a doubled quote belongs to the text. */
function endOfQuoted(sql, at, quote, escapes) {
  at++;
  while (at < sql.length) {
    const c = sql.charCodeAt(at);
    if (escapes && c === 92) {
      at += 2;
    } else if (c !== quote) {
      at++;
    } else if (sql.charCodeAt(at + 1) === quote) {
      at += 2;
    } else {
      return at + 1;
    }
  }
  return -1;
}

/** The value of an E'..' string. */
function unescape(raw) {
  const plain = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };
  return raw
    .replaceAll("''", "'")
    .replace(/\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{1,2}|[0-7]{1,3}|[\s\S])/g, (_, e) => {
      if (/^[uUx]./.test(e)) {
        const code = parseInt(e.slice(1), 16);
        return code <= 0x10ffff ? String.fromCodePoint(code) : '';
      }
      if (/^[0-7]/.test(e)) return String.fromCharCode(parseInt(e, 8));
      return plain[e] ?? e;
    });
}

/** The statements of a text: each with its own text and its tokens, whose places count from the statement's start. */
export function splitStatements(sql) {
  const statements = [];
  let current = [];
  const finish = (end) => {
    if (current.length === 0) return;
    const start = current[0].start;
    const text = sql.slice(start, end);
    statements.push({
      sql: text.trimEnd(),
      tokens: current.map((t) => ({ ...t, start: t.start - start, end: t.end - start })),
    });
    current = [];
  };
  for (const token of tokenize(sql)) {
    if (token.kind === 'punct' && token.value === ';') finish(token.start);
    else current.push(token);
  }
  finish(sql.length);
  return statements;
}
