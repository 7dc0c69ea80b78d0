// What each product came to this month, one row a product, each with the way into its log.

import { monthText } from './days.js';
import { h, icon, unknown } from './dom.js';
import { count, duration, money, percent } from './format.js';
import { arrival, share, sumUp, within } from './totals.js';
import { productWord } from './vocabulary.js';

// recent of readRecent; byStatus the rows of month by product, direction and status; logs as the API
// tells how far each is loaded, or null; of says of
// which days the statuses are, where not of the month; logOf(span, product) is the address of a log.
export function productPanel({ products, recent, byStatus, month, logOf, of = null, logs = null, loadedText = null }) {
  const rows = within(recent.rows, month);
  const cell = (label, className, ...content) => h('td', { class: className, 'data-label': label }, content);
  return h('section', { class: 'board', 'aria-label': `Products in ${monthText(month.from)}` },
    h('h2', null, `Products in ${monthText(month.from)}`),
    h('table', { class: 'plain stacks' },
      h('thead', null, h('tr', null, ['Product', 'Records', 'Used', of ? `Delivered or completed ${of}` : 'Delivered or completed', 'Spend', logs && 'Loaded through'].filter(Boolean).map((label) =>
        h('th', { scope: 'col', class: ['Product', 'Loaded through'].includes(label) ? null : 'numeric' }, label)))),
      h('tbody', null, products.map((product) => {
        const own = rows.filter((row) => row.key.product === product);
        const sum = sumUp(own);
        const { texts, all, good } = arrival(byStatus, [product]);
        const part = share(good, all);
        const { label } = productWord(product);
        const href = logOf?.(month, product);
        return h('tr', null,
          h('th', { scope: 'row' }, href ? h('a', { class: 'row-link', href }, icon(product), label) : [icon(product), label]),
          cell('Records', 'numeric', count(sum.records)),
          cell('Used', 'numeric', used(own)),
          cell(texts ? 'Delivered' : 'Completed', 'numeric', part === null ? unknown('none') : percent(part)),
          cell('Spend', 'numeric', sum.charged.length ? h('ul', null, sum.charged.map((c) => h('li', null, money(c.amount, c.currency)))) : unknown('nothing charged'), sum.unrated > 0 && h('p', { class: 'hint' }, `${count(sum.unrated)} without a price`)),
          logs && cell('Loaded through', null, loadedText(logs.find((log) => log.product === product))));
      }))));
}

// What stands in its place at first, for so many products.
export function panelBones(n) {
  return h('section', { class: 'board bones' }, Array.from({ length: n + 2 }, () => h('span', { class: 'bone' })));
}

// Segments, or time, as the rows tell: "1,422 segments", "5:40:12".
function used(rows) {
  const sum = (key) => (rows.some((row) => row[key] !== null) ? rows.reduce((all, row) => all + (row[key] ?? 0), 0) : null);
  const [segments, seconds] = [sum('segments'), sum('durationSeconds')];
  if (segments !== null) return `${count(segments)} segments`;
  return seconds === null ? unknown('not measured') : duration(seconds);
}
