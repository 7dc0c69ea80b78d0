// Reads summaries whole: all pages of one question.

import { address, get } from './api.js';
import { addDays, firstOfMonth, monthText, shortDay } from './days.js';

const rowsAPage = '1000';

// Of all customers, or of one.
export const summaryOf = (account) => (account ? ['customers', account, 'summary'] : ['summary']);

// {rows, timeZone, complete, pending: the days that are being counted now, as "account product day",
// as far as they are named; isAllNamed: whether they all are; isCounted: whether totals are kept at
// all yet; changedAt: when a total last changed}.
export async function readSummary(steps, query, signal) {
  const rows = [];
  const pending = new Set();
  let complete = true;
  let isAllNamed = true;
  let isCounted = true;
  let timeZone = null;
  let cursor = null;
  do {
    const page = await get(address(steps, { ...query, limit: rowsAPage, cursor }), { signal });
    for (const row of page.data) rows.push(row);
    for (const p of page.pending) pending.add(`${p.accountId} ${p.product} ${p.day}`);
    complete &&= page.complete;
    isCounted &&= page.pendingCount !== null;
    isAllNamed &&= page.pendingCount === page.pending.length;
    timeZone = page.timeZone;
    cursor = page.nextCursor;
  } while (cursor !== null);
  const changedAt = rows.reduce((newest, row) => (row.updatedAt > newest ? row.updatedAt : newest), '');
  return { rows, timeZone, complete, pending, isAllNamed, isCounted, changedAt };
}

// Whether a question was refused since it takes too many customers and days at once.
export function takesTooMuch(problem) {
  return problem.code === 'invalid_parameter';
}

// The running month and the one before, and the last thirty days at least: by day, or by month
// alone where days of so many customers are refused.
export async function readRecent(steps, today, to, signal) {
  const months = firstOfMonth(today, -1);
  const days = addDays(today, -29);
  const from = months < days ? months : days;
  try {
    return { ...await readSummary(steps, { from, to, groupBy: ['day', 'product'] }, signal), from, byDay: true };
  } catch (problem) {
    if (!takesTooMuch(problem)) throw problem;
    return { ...await readSummary(steps, { from: months, to, groupBy: ['month', 'product'] }, signal), from: months, byDay: false };
  }
}

// Of all customers by product, direction and status, {...summary, words: of which days}: those of the
// running month or, since statuses are told by day alone, of fewer days where these are refused.
export async function readStatuses(month, today, signal) {
  const yesterday = addDays(today, -1);
  const ways = [
    [month, `in ${monthText(month.from)}`],
    [{ from: addDays(today, -6), to: month.to }, 'in the last 7 days'],
    [{ from: yesterday, to: today }, `on ${shortDay(yesterday)}`],
  ];
  for (;;) {
    const [span, words] = ways.shift();
    try {
      return { ...await readSummary(summaryOf(null), { ...span, groupBy: ['product', 'direction', 'status'] }, signal), words };
    } catch (problem) {
      if (!takesTooMuch(problem) || ways.length === 0) throw problem;
    }
  }
}

// What a chart of a unit takes, or null where it is refused. recent is what readRecent gave.
export async function readTrend(steps, unit, { from, to }, recent, signal) {
  if (unit === 'day') return recent.byDay ? recent : null;
  try {
    return await readSummary(steps, { from, to, groupBy: [unit === 'month' ? 'month' : 'day', 'product'] }, signal);
  } catch (problem) {
    if (unit !== 'month' && takesTooMuch(problem)) return null;
    throw problem;
  }
}
