// Calendar days ("2026-11-03") and months ("2026-11"), as summaries name them, and when they begin
// in the time zone of a customer. A span is half-open: {from, to}, days both, to not in it.

const date = (day) => new Date(`${day}T00:00:00Z`);
const text = (when) => when.toISOString().slice(0, 10);

// The zone, if this browser knows it; else UTC.
export function knownZone(zone) {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone;
  } catch {
    return 'UTC';
  }
}

const clocks = new Map();

// The day that a time is in.
export function dayOf(time, zone) {
  if (!clocks.has(zone)) clocks.set(zone, new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' }));
  const parts = Object.fromEntries(clocks.get(zone).formatToParts(time).map(({ type, value }) => [type, value]));
  return `${parts.year}-${parts.month}-${parts.day}`;
}

export function addDays(day, n) {
  const then = date(day);
  then.setUTCDate(then.getUTCDate() + n);
  return text(then);
}

// The first day of the month that is n months after that of a day.
export function firstOfMonth(day, n = 0) {
  const then = date(day);
  return text(new Date(Date.UTC(then.getUTCFullYear(), then.getUTCMonth() + n, 1)));
}

export function daysIn({ from, to }) {
  return Math.round((date(to) - date(from)) / 86_400_000);
}

const minute = 60_000;

// The first moment of a day in a zone, as RFC 3339. Where clocks are put forward at midnight it is
// not midnight: so it is looked for, and not computed from an offset.
export function beginningOf(day, zone) {
  let before = date(day).getTime() - 16 * 60 * minute;
  let after = date(day).getTime() + 16 * 60 * minute;
  while (after - before > minute) {
    const middle = before + Math.floor((after - before) / minute / 2) * minute;
    if (dayOf(middle, zone) < day) before = middle;
    else after = middle;
  }
  return new Date(after).toISOString().replace('.000', '');
}

// The last n days, weeks of seven days, or months up to and with today, oldest first, each a span
// with its key.
export function spans(unit, n, today) {
  return Array.from({ length: n }, (_, i) => {
    const back = n - 1 - i;
    if (unit === 'month') return { key: firstOfMonth(today, -back).slice(0, 7), from: firstOfMonth(today, -back), to: firstOfMonth(today, 1 - back) };
    const length = unit === 'week' ? 7 : 1;
    const to = addDays(today, 1 - back * length);
    return { key: addDays(to, -length), from: addDays(to, -length), to };
  });
}

const formats = new Map();

function format(options) {
  const key = JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(undefined, { ...options, timeZone: 'UTC' }));
  return formats.get(key);
}

// "Wed 12 Nov 2026".
export function dayText(day) {
  return format({ weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' }).format(date(day));
}

// "12 Nov".
export function shortDay(day) {
  return format({ day: 'numeric', month: 'short' }).format(date(day));
}

// "November 2026", "November" or "Nov".
export function monthText(day, { month = 'long', year = undefined } = {}) {
  return format({ month, year }).format(date(day));
}

// "1 – 27 Nov", of the days of a span.
export function spanText({ from, to }, year = undefined) {
  return format({ day: 'numeric', month: 'short', year }).formatRange(date(from), date(addDays(to, -1)));
}
