// The row of figures at the head of an overview: what was spent and used this month, how that
// compares with the same days of the month before, and how much of it arrived.

import { dayOf, firstOfMonth, monthText, spanText, addDays } from './days.js';
import { h, icon, spoken } from './dom.js';
import { count, counted, money, percent, shortMoney } from './format.js';
import { arrival, change, chargedIn, groupRows, isPendingIn, sameDays, share, sumUp, within } from './totals.js';
import { products, productWord } from './vocabulary.js';

export function figureCard(title, ...parts) {
  return h('section', { class: 'figure', 'aria-label': title }, h('h2', { class: 'card-title' }, title), parts);
}

// A figure's text, which takes less room where it is long and the page is narrow.
export function figureValue(text, whole = text) {
  return h('p', { class: `figure-value ${text.length > 11 ? 'long' : ''}`.trim() }, h('span', { title: whole }, text));
}

export function figureBones(n) {
  return Array.from({ length: n }, () => h('div', { class: 'figure bones' }, h('span', { class: 'bone' }), h('span', { class: 'bone' }), h('span', { class: 'bone' })));
}

// What the cards are made of: the sums of the running month, of the days that are compared, and of
// the month before where days are not known. recent is of readRecent, through the day of the newest
// usage that was loaded, or null.
export function monthFigures(recent, today, through) {
  const span = { from: firstOfMonth(today), to: addDays(today, 1) };
  const rows = within(recent.rows, span);
  const before = { from: firstOfMonth(today, -1), to: span.from };
  const same = recent.byDay ? sameDays(today, through) : null;
  return {
    span, rows, today, before,
    sum: sumUp(rows),
    same: same && same.map((days) => ({ days, sum: sumUp(within(recent.rows, days)) })),
    last: sumUp(within(recent.rows, before)),
    isMoving: !recent.complete && (!recent.isCounted || !recent.isAllNamed || isPendingIn(recent, span)),
  };
}

// A line on sums of which a day is not counted to its end.
function moving(figures) {
  return figures.isMoving && h('p', { class: 'figure-note' }, 'Some of it is still being counted');
}

// "+12.3% in 1–27 Nov against 1–27 Oct: €85.60", of what figureOf makes of a sum.
function comparison(figures, amountOf, textOf) {
  if (!figures.same) return h('p', { class: 'figure-note compared' }, `${monthText(figures.before.from)}, all of it: `, textOf(amountOf(figures.last)));
  const [now, then] = figures.same;
  const part = change(amountOf(now.sum), amountOf(then.sum));
  const days = `${spanText(now.days)} against ${spanText(then.days)}`;
  return h('p', { class: 'figure-note compared', title: `${spanText(now.days)}: ${textOf(amountOf(now.sum))}; ${spanText(then.days)}: ${textOf(amountOf(then.sum))}` },
    part !== null && h('strong', { class: 'figure-change' }, percent(part, true)), part !== null && ' ', days,
    part === null && `: ${textOf(amountOf(now.sum))} and ${textOf(amountOf(then.sum))}`);
}

// The products of some rows, each a link to its log of those days.
function byProduct(rows, textOf, hrefOf) {
  const groups = groupRows(rows, (row) => row.key.product);
  const items = products.filter((product) => groups.has(product)).map((product) => {
    const { label } = productWord(product);
    const said = [icon(product), spoken(`${label}: `), textOf(sumUp(groups.get(product)), product)];
    const href = hrefOf(product);
    return h('li', { title: label }, href ? h('a', { href }, said) : h('span', null, said));
  });
  return items.length > 0 && h('ul', { class: 'figure-parts' }, items);
}

// first is the currency that stands first; hrefOf(product) where a product's part leads, or null.
export function spendCard(figures, first, hrefOf) {
  const { sum, span, rows } = figures;
  const title = `Spend in ${monthText(span.from)}`;
  const codes = [...new Set([...sum.charged, ...figures.last.charged].map((c) => c.currency))].sort();
  const ordered = [...codes.filter((code) => code === first), ...codes.filter((code) => code !== first)];
  if (ordered.length === 0) ordered.push(first ?? '');
  const unpriced = sum.unrated > 0 && h('p', { class: 'figure-note' }, `${counted(sum.unrated, 'record')} without a price ${sum.unrated === 1 ? 'is' : 'are'} not in it`);
  const spent = (code, form) => (code ? form(chargedIn(sum, code), code) : '0');
  if (ordered.length === 1) {
    const code = ordered[0];
    return figureCard(title, figureValue(spent(code, shortMoney), spent(code, money)),
      code && comparison(figures, (of) => chargedIn(of, code), (amount) => shortMoney(amount, code)), unpriced, moving(figures),
      byProduct(rows, (of) => (code ? shortMoney(chargedIn(of, code), code) : '0'), hrefOf));
  }
  return figureCard(title,
    h('ul', { class: 'figure-list' }, ordered.map((code) => {
      const part = figures.same && change(chargedIn(figures.same[0].sum, code), chargedIn(figures.same[1].sum, code));
      return h('li', null, h('span', { class: 'figure-value' }, h('span', { title: spent(code, money) }, spent(code, shortMoney))), part && h('strong', { class: 'figure-change' }, percent(part, true)));
    })),
    h('p', { class: 'figure-note' }, figures.same ? `${spanText(figures.same[0].days)} against ${spanText(figures.same[1].days)}` : 'Each currency by itself'), unpriced, moving(figures));
}

export function volumeCard(figures, hrefOf) {
  const { sum, span, rows } = figures;
  return figureCard(`Volume in ${monthText(span.from)}`,
    h('p', { class: 'figure-value' }, count(sum.records), ' ', h('small', null, sum.records === 1 ? 'record' : 'records')),
    comparison(figures, (of) => String(of.records), (n) => count(Number(n))), moving(figures),
    byProduct(rows, (of) => count(of.records), hrefOf));
}

const lost = ['undelivered', 'rejected', 'failed', 'error'];
const missed = ['no_answer', 'busy', 'canceled', ...lost.slice(1)];

// Of a summary by product, direction and status; of says of which days; hrefOf(product, statuses,
// direction) is where those that did not arrive are listed, or null.
export function arrivalCard(rows, shown, of, hrefOf) {
  const { texts, all, good } = arrival(rows, shown);
  const part = share(good, all);
  const words = texts ? ['Delivered', 'outbound message'] : ['Completed', 'call or session'];
  const many = texts ? 'outbound messages' : 'calls and sessions';
  const statuses = texts ? lost : missed;
  const against = rows.filter(({ key }) => statuses.includes(key.status) && ['sms', 'messaging'].includes(key.product) === texts && (!texts || key.direction === 'outbound'));
  return figureCard(`${words[0]} ${of}`,
    h('p', { class: 'figure-value' }, part === null ? h('span', { class: 'quiet' }, 'None yet') : percent(part)),
    h('p', { class: 'figure-note' }, all === 0 ? `There were no ${many}.` : `${count(good)} of ${counted(all, words[1], many)}`),
    byProduct(against, (sum) => `${count(sum.records)} failed`, (product) => hrefOf(product, statuses, texts ? 'outbound' : '')));
}

// Through which day usage is loaded, by the newest of a customer's logs; null: nothing is.
export function loadedThrough(logs, zone) {
  const newest = logs.reduce((last, { loadedThrough: at }) => (at && at > last ? at : last), '');
  return newest ? { at: newest, day: dayOf(new Date(newest), zone) } : null;
}
