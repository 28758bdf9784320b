// Numbers as PostgreSQL writes them.

/** A DOUBLE: its shortest digits that read back as the same number, with an exponent where PostgreSQL has one. */
export function doubleText(value) {
  const abs = Math.abs(value);
  if ((abs >= 1e-4 && abs < 1e15) || value === 0) return Object.is(value, -0) ? '-0' : String(value);
  return unusual(value) ?? exponent(value.toExponential());
}

/** A FLOAT, whose shortest digits are fewer than those of the double it is read as. */
export function floatText(value) {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const special = unusual(value);
  if (special) return special;
  const text = floatExponential(value);
  const power = Number(text.slice(text.indexOf('e') + 1));
  return power >= -4 && power < 6 ? String(Number(text)) : exponent(text);
}

/** The shortest digits of a FLOAT that read back as it, with an exponent. */
export function floatExponential(value) {
  let digits = 0;
  let text = value.toExponential(0);
  while (Math.fround(Number(text)) !== value) text = value.toExponential(++digits);
  return text;
}

function unusual(value) {
  if (value !== value) return 'NaN';
  if (value === Infinity) return 'Infinity';
  if (value === -Infinity) return '-Infinity';
  return null;
}

/** 1e+21 and 1.5e-7 with at least two digits of exponent. */
const exponent = (text) => text.replace(/e([+-])(\d)$/, 'e$10$2');

/** An unscaled DECIMAL with its point. */
export function decimalText(unscaled, scale) {
  if (scale === 0) return String(unscaled);
  const negative = unscaled < 0n;
  const digits = String(negative ? -unscaled : unscaled).padStart(scale + 1, '0');
  return `${negative ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** A BIGNUM from DuckDB's bytes: a header of three, then the magnitude, all inverted where it is negative. */
export function bignum(bytes) {
  const negative = (bytes[0] & 0x80) === 0;
  let value = 0n;
  for (let i = 3; i < bytes.length; i++) value = (value << 8n) | BigInt(negative ? ~bytes[i] & 0xff : bytes[i]);
  return negative ? -value : value;
}

/** PostgreSQL's binary NUMERIC of a number in decimal text. */
export function numericBinary(text) {
  const negative = text.startsWith('-');
  const [whole, fraction = ''] = (negative ? text.slice(1) : text).split('.');
  const scale = fraction.length;
  const left = whole.replace(/^0+/, '');
  const padded = left.padStart(Math.ceil(left.length / 4) * 4, '0') + fraction.padEnd(Math.ceil(scale / 4) * 4, '0');
  let weight = Math.ceil(left.length / 4) - 1;
  const groups = [];
  for (let i = 0; i < padded.length; i += 4) groups.push(Number(padded.slice(i, i + 4)));
  while (groups.length > 0 && groups[0] === 0) {
    groups.shift();
    weight--;
  }
  while (groups.length > 0 && groups[groups.length - 1] === 0) groups.pop();
  const buffer = Buffer.alloc(8 + groups.length * 2);
  buffer.writeInt16BE(groups.length, 0);
  buffer.writeInt16BE(groups.length === 0 ? 0 : weight, 2);
  buffer.writeUInt16BE(negative && groups.length > 0 ? 0x4000 : 0, 4);
  buffer.writeInt16BE(scale, 6);
  groups.forEach((group, i) => buffer.writeInt16BE(group, 8 + i * 2));
  return buffer;
}

/** Decimal text of PostgreSQL's binary NUMERIC. */
export function numericText(bytes) {
  if (bytes.length < 8) throw new RangeError('a binary numeric has at least 8 bytes');
  const count = bytes.readInt16BE(0);
  const weight = bytes.readInt16BE(2);
  const sign = bytes.readUInt16BE(4);
  const scale = bytes.readInt16BE(6);
  if (sign === 0xc000) return 'NaN';
  if (sign === 0xd000) return 'Infinity';
  if (sign === 0xf000) return '-Infinity';
  if (count < 0 || bytes.length !== 8 + count * 2) throw new RangeError('a binary numeric of a wrong length');
  const group = (i) => (i >= 0 && i < count ? String(bytes.readInt16BE(8 + i * 2)).padStart(4, '0') : '0000');
  let whole = '';
  for (let i = 0; i <= weight; i++) whole += group(i);
  let fraction = '';
  for (let i = weight + 1; fraction.length < scale; i++) fraction += i < 0 ? '0000' : group(i);
  fraction = fraction.slice(0, Math.max(0, scale));
  return `${sign === 0x4000 ? '-' : ''}${whole.replace(/^0+(?=\d)/, '') || '0'}${fraction ? `.${fraction}` : ''}`;
}
