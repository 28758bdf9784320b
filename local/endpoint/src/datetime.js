// Dates and times as PostgreSQL writes them.

const DAY = 86_400_000_000n;
export const DATE_INFINITY = 2147483647;
export const TIMESTAMP_INFINITY = 9223372036854775807n;

/** Days since 1970-01-01 as year, month and day of the proleptic Gregorian calendar (year 0 is 1 BC). */
export function civil(days) {
  const z = days + 719468;
  const era = Math.floor(z / 146097);
  const doe = z - era * 146097;
  const yoe = Math.floor((doe - Math.floor(doe / 1460) + Math.floor(doe / 36524) - Math.floor(doe / 146096)) / 365);
  const doy = doe - (365 * yoe + Math.floor(yoe / 4) - Math.floor(yoe / 100));
  const mp = Math.floor((5 * doy + 2) / 153);
  const month = mp < 10 ? mp + 3 : mp - 9;
  return { year: yoe + era * 400 + (month <= 2 ? 1 : 0), month, day: doy - Math.floor((153 * mp + 2) / 5) + 1 };
}

const pad = (value, width) => String(value).padStart(width, '0');

/** [date, ' BC' or '']: the era stands at the end, after the time. */
function dateParts(days) {
  const { year, month, day } = civil(days);
  const era = year <= 0;
  return [`${pad(era ? 1 - year : year, 4)}-${pad(month, 2)}-${pad(day, 2)}`, era ? ' BC' : ''];
}

export function dateText(days) {
  if (days === DATE_INFINITY) return 'infinity';
  if (days === -DATE_INFINITY) return '-infinity';
  return dateParts(days).join('');
}

/** Microseconds (or, with `digits` 9, nanoseconds) of a day. */
export function timeText(value, digits = 6) {
  const unit = digits === 9 ? 1_000_000_000n : 1_000_000n;
  const seconds = Number(value / unit);
  const fraction = value % unit;
  const clock = `${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}`;
  return fraction === 0n ? clock : `${clock}.${pad(fraction, digits).replace(/0+$/, '')}`;
}

export function timeTzText(bits) {
  const micros = bits >> 24n;
  const offset = 57599 - Number(bits & 0xffffffn);
  return timeText(micros) + offsetText(offset);
}

/** An offset from UTC in seconds as PostgreSQL writes it: +00, +05:30. */
export function offsetText(offset) {
  const sign = offset < 0 ? '-' : '+';
  const abs = Math.abs(offset);
  let text = `${sign}${pad(Math.floor(abs / 3600), 2)}`;
  if (abs % 3600 !== 0) text += `:${pad(Math.floor(abs / 60) % 60, 2)}`;
  if (abs % 60 !== 0) text += `:${pad(abs % 60, 2)}`;
  return text;
}

function floorDiv(a, b) {
  const q = a / b;
  return a % b < 0n ? q - 1n : q;
}

/** Microseconds since 1970 (or nanoseconds, with `digits` 9). `zone` is null for a timestamp without one. */
export function timestampText(value, zone = null, digits = 6) {
  if (value === TIMESTAMP_INFINITY) return 'infinity';
  if (value === -TIMESTAMP_INFINITY) return '-infinity';
  const offset = zone === null ? 0 : zone.offset(value);
  const local = value + BigInt(offset) * 1_000_000n;
  const day = digits === 9 ? DAY * 1000n : DAY;
  const days = floorDiv(local, day);
  const [date, era] = dateParts(Number(days));
  return `${date} ${timeText(local - days * day, digits)}${zone === null ? '' : offsetText(offset)}${era}`;
}

export function intervalText(months, days, micros) {
  const parts = [];
  // PostgreSQL marks what is positive after something negative.
  let negative = false;
  const sign = (below) => {
    const plus = negative && !below;
    negative = below;
    return plus ? '+' : '';
  };
  const unit = (value, one) => {
    if (value !== 0) parts.push(`${sign(value < 0)}${value} ${one}${value === 1 ? '' : 's'}`);
  };
  unit(Math.trunc(months / 12), 'year');
  unit(months % 12, 'mon');
  unit(days, 'day');
  if (micros !== 0n || parts.length === 0) {
    const below = micros < 0n;
    parts.push(`${below ? '-' : sign(false)}${timeText(below ? -micros : micros)}`);
  }
  return parts.join(' ');
}

/** The offsets of a time zone, as the session's TIMESTAMPTZ values are shown in it. */
export class Zone {
  constructor(name) {
    this.name = name;
    this.utc = /^(etc\/)?(utc|gmt|uct|zulu|universal|greenwich)$/i.test(name);
    this.cache = new Map();
  }

  /** Seconds to add to UTC at this moment (microseconds since 1970). */
  offset(micros) {
    if (this.utc) return 0;
    // Zones change their offset at most at a quarter of an hour.
    const quarter = Number(floorDiv(micros, 900_000_000n));
    let offset = this.cache.get(quarter);
    if (offset === undefined) {
      if (this.cache.size > 100_000) this.cache.clear();
      this.cache.set(quarter, (offset = this.lookUp(quarter * 900_000)));
    }
    return offset;
  }

  lookUp(millis) {
    if (Math.abs(millis) > 8.64e15) return 0;
    this.format ??= new Intl.DateTimeFormat('en-US', {
      timeZone: this.name,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    const parts = Object.fromEntries(this.format.formatToParts(millis).map((part) => [part.type, part.value]));
    const year = parts.era.startsWith('B') ? 1 - Number(parts.year) : Number(parts.year);
    const local = new Date(0);
    local.setUTCFullYear(year, Number(parts.month) - 1, Number(parts.day));
    local.setUTCHours(Number(parts.hour), Number(parts.minute), Number(parts.second));
    return Math.round((local.getTime() - millis) / 1000);
  }
}
