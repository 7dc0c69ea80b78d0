// Which customers spend more or less than in the month before, and who a bar of the chart is made of.

import { addDays, firstOfMonth, monthText, spanText } from './days.js';
import { compareDecimals, isZero, subtractDecimals } from './decimal.js';
import { h, icon, name } from './dom.js';
import { count, counted, money, percent, shortMoney } from './format.js';
import { formatRoute } from './route.js';
import { readSummary, takesTooMuch } from './summary.js';
import { change, chargedIn, groupRows, sameDays, sumUp } from './totals.js';
import { productWord } from './vocabulary.js';

const most = 6;

// The charges of each customer in the same days of two months or, where days of so many are refused
// or none is over, in two whole months.
export async function readMovers(steps, today, signal) {
  const read = ([now, then]) => Promise.all([now, then].map((span) => readSummary(steps, { ...span, groupBy: 'customer' }, signal)));
  const whole = [-1, -2].map((n) => ({ from: firstOfMonth(today, n), to: firstOfMonth(today, n + 1) }));
  let spans = sameDays(today, null) ?? whole;
  let found;
  try {
    found = await read(spans);
  } catch (problem) {
    if (!takesTooMuch(problem) || spans === whole) throw problem;
    spans = whole;
    found = await read(spans);
  }
  const [now, then] = found.map(({ rows }) => groupRows(rows, (row) => row.key.customer));
  const accounts = [...new Set([...now.keys(), ...then.keys()])];
  const currencies = [...new Set(found.flatMap(({ rows }) => rows.flatMap((row) => row.charged.map((c) => c.currency))))].sort();
  // Amounts of several currencies are not compared: who moved most is told of one at a time.
  const moved = (currency) => accounts
    .map((account) => {
      const [a, b] = [now, then].map((rows) => chargedIn(sumUp(rows.get(account) ?? []), currency));
      return { account, now: a, then: b, difference: subtractDecimals(a, b) };
    })
    .filter(({ difference }) => !isZero(difference))
    .sort((x, y) => compareDecimals(y.difference.replace('-', ''), x.difference.replace('-', '')) || (x.account < y.account ? -1 : 1))
    .slice(0, most);
  const inUse = (currency) => (currencies.includes(currency) ? currency : currencies[0] ?? currency);
  return {
    spans, currencies, inUse, moved: (currency) => moved(inUse(currency)), complete: found.every((one) => one.complete), whole: spans === whole,
    accounts: (currency) => moved(inUse(currency)).map(({ account }) => account),
  };
}

// known(account) is the customer, if it has been asked for.
export function moversPanel(found, { currency, known, choose }) {
  const code = found.inUse(currency);
  const rows = found.moved(currency);
  const [now, then] = found.spans;
  const text = (span) => (found.whole ? monthText(span.from) : spanText(span));
  const select = h('select', { class: 'control', 'aria-label': 'Currency', change: () => choose(select.value) }, found.currencies.map((one) => h('option', { value: one }, one)));
  select.value = code;
  return h('section', { class: 'board', 'aria-label': 'Biggest movers' },
    h('header', { class: 'board-head' }, h('div', null, h('h2', null, 'Biggest movers'), h('p', { class: 'hint' }, `${text(now)} against ${text(then)}${found.complete ? '' : '; some days are being counted again'}`)),
      found.currencies.length > 1 && h('div', { class: 'select small' }, select, icon('down'))),
    rows.length === 0 ? h('p', { class: 'empty-line' }, 'No customer’s spend changed.') : h('ul', { class: 'ranking' }, rows.map(({ account, now: a, then: b, difference }) => {
      const part = change(a, b);
      const more = !difference.startsWith('-');
      return h('li', null,
        h('a', { class: 'row-link', href: formatRoute({ view: 'overview', account }) }, name(known(account)?.name ?? account)),
        h('span', { class: 'ranking-figure', title: `${money(b, code)} then, ${money(a, code)} now` },
          h('strong', null, icon(more ? 'outbound' : 'inbound'), `${more ? '+' : '−'}${shortMoney(difference.replace('-', ''), code)}`),
          h('small', null, part === null ? 'new' : percent(part, true))));
    })));
}

const shown = 10;

// The customers whose usage a bar shows, by what they spent or used.
export function usersPanel(found, { from, to, product, currency, show }) {
  const codes = [...new Set(found.rows.flatMap((row) => row.charged.map((c) => c.currency)))].sort();
  const code = codes.includes(currency) ? currency : codes[0] ?? currency;
  const volume = show === 'volume';
  const all = [...groupRows(found.rows, (row) => row.key.customer)].map(([account, rows]) => ({ account, rows, sum: sumUp(rows) }));
  const spent = (of) => chargedIn(of, code);
  const hasCode = (of) => Number(of.charged.some((c) => c.currency === code));
  all.sort((a, b) => (volume ? b.sum.records - a.sum.records : compareDecimals(spent(b.sum), spent(a.sum)) || hasCode(b.sum) - hasCode(a.sum) || b.sum.records - a.sum.records) || (a.account < b.account ? -1 : 1));
  const rows = all.slice(0, shown);
  const rest = all.length - rows.length;
  // What is charged in another currency is told in that one, and stands behind what is in this.
  const figure = ({ records, charged }) => (volume ? count(records) : (charged.find((c) => c.currency === code) ? [charged.find((c) => c.currency === code)] : charged)
    .map((c) => shortMoney(c.amount, c.currency)).join(', ') || 'no price');
  return {
    accounts: rows.map(({ account }) => account),
    draw: (known, logOf, close) => h('section', { class: 'board', 'aria-label': 'The customers of a bar' },
      h('header', { class: 'board-head' },
        h('h2', { tabindex: '-1' }, `${product ? productWord(product).label : 'All products'}, ${spanText({ from, to }, 'numeric')}`),
        h('button', { type: 'button', class: 'button', click: close }, icon('close'), 'Close')),
      rows.length === 0 ? h('p', { class: 'empty-line' }, 'No usage on these days.') : h('ul', { class: 'ranking' }, rows.map(({ account, rows: own, sum }) => h('li', null,
        h('a', { class: 'row-link', href: formatRoute({ view: 'overview', account }) }, name(known(account)?.name ?? account)),
        h('span', { class: 'ranking-logs' }, own.map((row) => h('a', { href: logOf(account, row.key.product, { from, to }) }, icon(row.key.product), `${counted(row.records, productWord(row.key.product).one, productWord(row.key.product).many)}`))),
        h('span', { class: 'ranking-figure' }, h('strong', null, figure(sum))))),
        rest > 0 && h('li', null, h('span', { class: 'quiet' }, `and ${counted(rest, 'more customer')}`)))),
  };
}
