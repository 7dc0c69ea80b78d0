// Periods of a log, as people name them. A period is half-open: its start is in
// it, its end is not. What people read has both ends in it.

import { rangeOfDays, rangeOfMinutes } from './format.js';

// Any other period is 'custom', and has a start, an end, or both.
export const presets = [
  { value: '', text: 'All records' },
  { value: 'today', text: 'Today' },
  { value: 'yesterday', text: 'Yesterday' },
  { value: '7d', text: 'Last 7 days' },
  { value: '30d', text: 'Last 30 days' },
  { value: 'month', text: 'This month' },
  { value: 'last_month', text: 'Last month' },
];

// {from, to} of the filters as RFC 3339 texts, '' where an end is open. Days
// and months begin at midnight of the zone that is shown; "last 7 days" is today
// and the six days before.
export function resolvePeriod(filters, now, utc) {
  const midnight = (days, months = 0, date = null) => startOfDay(now, utc, days, months, date);
  switch (filters.period) {
    case 'today': return { from: midnight(0), to: '' };
    case 'yesterday': return { from: midnight(-1), to: midnight(0) };
    case '7d': return { from: midnight(-6), to: '' };
    case '30d': return { from: midnight(-29), to: '' };
    case 'month': return { from: midnight(0, 0, 1), to: '' };
    case 'last_month': return { from: midnight(0, -1, 1), to: midnight(0, 0, 1) };
    case 'custom': return { from: filters.from, to: filters.to };
    default: return { from: '', to: '' };
  }
}

function startOfDay(now, utc, days, months, date) {
  const then = utc
    ? new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + months, (date ?? now.getUTCDate()) + days))
    : new Date(now.getFullYear(), now.getMonth() + months, (date ?? now.getDate()) + days);
  return brief(then);
}

// "2026-11-03T10:00:00Z": seconds are enough for what people choose.
export function brief(date) {
  return date.toISOString().replace(/\.\d+Z$/, 'Z');
}

// An RFC 3339 text as the value of a datetime-local field, and back. The
// field knows no zone: it means the one that is shown.
export function toField(iso, utc) {
  if (!iso) return '';
  const date = new Date(iso);
  const local = utc ? date : new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}

export function fromField(value, utc) {
  if (!value) return '';
  const date = new Date(utc ? `${value}Z` : value);
  return Number.isNaN(date.getTime()) ? '' : brief(date);
}

// A custom period as people read it: "3–9 Nov 2026" where it is of whole days, else to the minute.
export function rangeText({ from, to }, utc) {
  const isMidnight = (iso) => !iso || toField(iso, utc).endsWith('T00:00') && iso.endsWith(':00Z');
  const whole = isMidnight(from) && isMidnight(to);
  const last = to && new Date(Date.parse(to) - 1);
  const between = whole ? rangeOfDays : rangeOfMinutes;
  if (!from) return `Until ${between(last, last, utc)}`;
  return to ? between(new Date(from), last, utc) : `From ${between(new Date(from), new Date(from), utc)}`;
}
