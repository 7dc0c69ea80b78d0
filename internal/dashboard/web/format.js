// Money, times and counts as people write them, in the browser's locale.

import { addDecimals, compareDecimals, isZero } from './decimal.js';

const formats = new Map();

function moneyFormat(currency) {
  if (!formats.has(currency)) {
    const usual = new Intl.NumberFormat(undefined, { style: 'currency', currency });
    const { minimumFractionDigits } = usual.resolvedOptions();
    formats.set(currency, new Intl.NumberFormat(undefined, { style: 'currency', currency, minimumFractionDigits, maximumFractionDigits: 20 }));
  }
  return formats.get(currency);
}

// The parts of an amount. Intl takes the decimal string as it is, digit for
// digit; a number in between would lose some. A currency that is no code is
// shown beside the amount as it came.
export function moneyParts(amount, currency) {
  try {
    return moneyFormat(currency).formatToParts(amount);
  } catch {
    return [{ type: 'literal', value: `${amount} ${currency}` }];
  }
}

export function money(amount, currency) {
  return moneyParts(amount, currency).map((part) => part.value).join('');
}

const shortFormats = new Map();

// An amount as a headline has it: with the currency's usual decimals, and with all of them where
// these would show nothing.
export function shortMoney(amount, currency) {
  try {
    if (!shortFormats.has(currency)) shortFormats.set(currency, new Intl.NumberFormat(undefined, { style: 'currency', currency }));
    const format = shortFormats.get(currency);
    const least = `0.${'0'.repeat(format.resolvedOptions().maximumFractionDigits)}5`; // what is rounded to the smallest unit
    return isZero(amount) || compareDecimals(amount.replace('-', ''), least) >= 0 ? format.format(amount) : money(amount, currency);
  } catch {
    return money(amount, currency);
  }
}

// A number at the axis of a chart, as short as can be: "€1.2K", "340".
export function compactMoney(n, currency) {
  try {
    return new Intl.NumberFormat(undefined, { style: 'currency', currency, notation: 'compact', maximumSignificantDigits: 3 }).format(n);
  } catch {
    return `${compactCount(n)} ${currency}`;
  }
}

export function compactCount(n) {
  return new Intl.NumberFormat(undefined, { notation: 'compact', maximumSignificantDigits: 3 }).format(n);
}

// "12.3%" of "0.123"; with a sign, "+12.3%".
export function percent(part, signed = false) {
  return new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 1, signDisplay: signed ? 'exceptZero' : 'auto' }).format(part);
}

const day = 24 * 60 * 60 * 1000;

// How a customer's credit stands: {known, postpaid, level: 'fine' | 'low' | 'overdrawn' |
// 'exhausted', old}. Nothing is left of what is exhausted, the credit limit included; what is
// overdrawn is below 0 and within that limit. Which is low only the API can tell, by what was spent.
export function creditState(credit, now, isLow = false) {
  const postpaid = credit.billingMode === 'postpaid';
  const known = credit.amount !== null && credit.amount !== undefined;
  let level = 'fine';
  if (known) {
    if (compareDecimals(addDecimals(credit.amount, credit.creditLimit ?? '0'), '0') <= 0) level = 'exhausted';
    else if (isLow) level = 'low';
    else if (compareDecimals(credit.amount, '0') < 0) level = 'overdrawn';
  }
  const old = known && credit.asOf && now - Date.parse(credit.asOf) > day;
  return { known, postpaid, level, old: Boolean(old) };
}

const timeFormats = new Map();

function timeFormat(utc, options) {
  const key = `${utc} ${JSON.stringify(options)}`;
  if (!timeFormats.has(key)) {
    timeFormats.set(key, new Intl.DateTimeFormat(undefined, utc ? { ...options, timeZone: 'UTC' } : options));
  }
  return timeFormats.get(key);
}

export function dateText(iso, utc) {
  return timeFormat(utc, { dateStyle: 'medium' }).format(new Date(iso));
}

// "Tuesday, 3 November 2026".
export function longDate(iso, utc) {
  return timeFormat(utc, { dateStyle: 'full' }).format(new Date(iso));
}

export function clockText(iso, utc) {
  return timeFormat(utc, { timeStyle: 'medium' }).format(new Date(iso));
}

// "3 Nov 2026, 11:00:00 UTC".
export function fullTime(iso, utc) {
  return `${dateText(iso, utc)}, ${clockText(iso, utc)} ${zoneName(utc, iso)}`;
}

// "3–9 Nov 2026", "3 Nov 2026" of the same day twice; and to the minute.
export function rangeOfDays(from, to, utc) {
  return timeFormat(utc, { dateStyle: 'medium' }).formatRange(from, to);
}

export function rangeOfMinutes(from, to, utc) {
  return timeFormat(utc, { dateStyle: 'medium', timeStyle: 'short' }).formatRange(from, to);
}

// "CET" or "GMT+8" for the browser's zone at that time, which another time may not share, "UTC" for
// the other.
export function zoneName(utc, iso) {
  if (utc) return 'UTC';
  const parts = timeFormat(false, { hour: 'numeric', timeZoneName: 'short' }).formatToParts(new Date(iso));
  return parts.find((part) => part.type === 'timeZoneName')?.value ?? 'local';
}

export function count(n) {
  return new Intl.NumberFormat().format(n);
}

// "1 segment", "2 segments".
export function counted(n, one, many = `${one}s`) {
  return `${count(n)} ${n === 1 ? one : many}`;
}

// How many of its partner's customers somebody sees: "12 of 214 customers". What was not counted are
// more than a thousand.
export function customersSeen({ customers, partnerCustomers }) {
  const all = partnerCustomers === null ? 'more than 1,000 customers' : counted(partnerCustomers, 'customer');
  return `${customers === null ? 'Some' : count(customers)} of ${all}`;
}

// Seconds as a clock shows them: 42 → "0:42", 3725 → "1:02:05".
export function duration(seconds) {
  const two = (n) => String(n).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  return hours ? `${hours}:${two(minutes % 60)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

// The same for ears: "1 hour 2 minutes 5 seconds".
export function durationWords(seconds) {
  const parts = [[Math.floor(seconds / 3600), 'hour'], [Math.floor(seconds / 60) % 60, 'minute'], [seconds % 60, 'second']];
  const told = parts.filter(([n]) => n > 0).map(([n, unit]) => counted(n, unit));
  return told.length ? told.join(' ') : '0 seconds';
}
