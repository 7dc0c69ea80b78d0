// Adds up the rows of summaries: counts as whole numbers, money as exact decimals and each currency
// by itself.

import { addDecimals, divideDecimals, isZero, subtractDecimals, wholeTimes } from './decimal.js';
import { addDays, daysIn, firstOfMonth } from './days.js';

// {records, unrated, charged: [{currency, amount, records}] by code} of some rows.
export function sumUp(rows) {
  const charged = new Map();
  let records = 0;
  let unrated = 0;
  for (const row of rows) {
    records += row.records;
    unrated += row.unrated;
    for (const { currency, amount, records: n } of row.charged) {
      const before = charged.get(currency) ?? { currency, amount: '0', records: 0 };
      charged.set(currency, { currency, amount: addDecimals(before.amount, amount), records: before.records + n });
    }
  }
  return { records, unrated, charged: [...charged.values()].sort((a, b) => (a.currency < b.currency ? -1 : 1)) };
}

// What was charged in one currency: "0" where nothing was.
export function chargedIn(sum, currency) {
  return sum.charged.find((c) => c.currency === currency)?.amount ?? '0';
}

// The rows of the days of a span. Rows by month are in it where their month begins in it.
export function within(rows, { from, to }) {
  return rows.filter(({ key }) => {
    const day = key.day ?? `${key.month}-01`;
    return day >= from && day < to;
  });
}

// The rows by what keyOf makes of each.
export function groupRows(rows, keyOf) {
  const groups = new Map();
  for (const row of rows) {
    const key = keyOf(row);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(row);
  }
  return groups;
}

// By how much now is more than before, as a part of it ("0.123" is 12.3 %), to three decimals; null
// where there was nothing before.
export function change(now, before) {
  return isZero(before) ? null : divideDecimals(subtractDecimals(now, before), before, 3);
}

// The part that some of all are, to three decimals; null of none.
export function share(some, all) {
  return all === 0 ? null : divideDecimals(String(some), String(all), 3);
}

const messages = ['sms', 'messaging'];
const arrived = ['delivered', 'read'];

// Of rows by product, direction and status: how many outbound messages there were and how many of
// them arrived, or how many calls and sessions and how many of them were completed.
export function arrival(rows, products) {
  const texts = products.some((product) => messages.includes(product));
  const counted = rows.filter(({ key }) => products.includes(key.product) && messages.includes(key.product) === texts && (!texts || key.direction === 'outbound'));
  const good = counted.filter(({ key }) => (texts ? arrived.includes(key.status) : key.status === 'completed'));
  return { texts, all: sumUp(counted).records, good: sumUp(good).records };
}

// The days of the running month that are over and loaded, and the same ones of the month before:
// [span, span], or null while there is none. through is the day up to which usage was loaded.
export function sameDays(today, through) {
  const first = firstOfMonth(today);
  const yesterday = addDays(today, -1);
  const last = through && through < yesterday ? through : yesterday;
  if (last < first) return null;
  const before = firstOfMonth(today, -1);
  const days = Math.min(Number(last.slice(8)), daysIn({ from: before, to: first })); // a shorter month has fewer
  return [{ from: first, to: addDays(first, days) }, { from: before, to: addDays(before, days) }];
}

export const paceDays = 14;

// For how many whole days what is left lasts, where paceDays days took so much: a BigInt; null where
// they took nothing, 0n where nothing is left.
export function lasts(left, spent) {
  if (isZero(left) || left.startsWith('-')) return 0n;
  if (isZero(spent) || spent.startsWith('-')) return null;
  return wholeTimes(times(left, paceDays), spent);
}

function times(amount, n) {
  let sum = '0';
  for (let i = 0; i < n; i += 1) sum = addDecimals(sum, amount);
  return sum;
}

// Whether a day of a span is named as being counted.
export function isPendingIn({ pending }, span) {
  return [...pending].some((p) => { const day = p.split(' ')[2]; return day >= span.from && day < span.to; });
}
