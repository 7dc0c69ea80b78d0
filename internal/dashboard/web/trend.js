// Spend and volume over the last days, weeks or months: a chart by product, its legend with the
// sums, and the same as a table.

import { barChart } from './chart.js';
import { dayText, monthText, shortDay, spans, spanText } from './days.js';
import { h, icon } from './dom.js';
import { compactCount, compactMoney, count, counted, money, shortMoney } from './format.js';
import { chargedIn, groupRows, isPendingIn, sumUp, within } from './totals.js';
import { products as allProducts, productWord } from './vocabulary.js';

const lengths = { day: [30, 'Last 30 days'], week: [13, 'Last 13 weeks'], month: [13, 'Last 13 months'] };

// What a chart of a unit shows, up to and with today: {from, to} of all of it, and its spans.
function stretch(unit, today) {
  const all = spans(unit, lengths[unit][0], today);
  return { from: all[0].from, to: all.at(-1).to, all };
}

const nameOf = { day: (s) => dayText(s.from), week: (s) => spanText(s, 'numeric'), month: (s) => monthText(s.from, { year: 'numeric' }) };
const briefly = { day: (s) => shortDay(s.from), week: (s) => shortDay(s.from), month: (s) => monthText(s.from, { month: 'short' }) };

// read(unit, period, signal) gives a summary by product, of days or, for months, of months, or null
// where that takes too much; failed(place, problem, retry) tells of a problem; change(state)
// is called with what the person chose of {by, show, currency}; hrefOf(span, product) is where a
// mark leads; caption a sentence on what the days are.
export function trend({ read, change, hrefOf, failed, caption }) {
  let stop = null;
  let chart = null;
  const refused = new Set(); // the units that take too much

  const heading = h('h2');
  const total = h('p', { class: 'trend-total' });
  const controls = h('div', { class: 'trend-controls' });
  const place = h('div', { class: 'trend-place' });
  const element = h('section', { class: 'board trend', 'aria-busy': 'true' },
    h('header', { class: 'board-head' }, h('div', null, heading, total), controls), place);

  async function update(state, today) {
    stop?.abort();
    stop = new AbortController();
    const { signal } = stop;
    element.setAttribute('aria-busy', 'true');
    drawControls(state, [], '');
    if (!chart) bones();
    try {
      const unit = state.by || 'day';
      const found = await read(unit, stretch(unit, today), signal);
      if (signal.aborted) return;
      if (found === null) {
        refused.add(unit);
        change({ ...state, by: 'month' });
        return;
      }
      draw(state, found, today);
    } catch (problem) {
      if (signal.aborted || problem.status === 401) return;
      drop();
      failed(place, problem, () => update(state, today));
    }
    element.setAttribute('aria-busy', 'false');
  }

  function bones() {
    heading.textContent = 'Spend';
    total.replaceChildren(h('span', { class: 'bone' }));
    place.replaceChildren(h('div', { class: 'chart bones' }, h('span', { class: 'bone' })), h('div', { class: 'legend bones' }, h('span', { class: 'bone' })));
  }

  function drop() {
    chart?.leave();
    chart = null;
  }

  function drawControls(state, currencies, currency) {
    const held = controls.contains(document.activeElement) && document.activeElement.value;
    const choice = (name, legend, options, chosen = state[name] || options[0][0]) => h('fieldset', { class: 'segments' }, h('legend', { class: 'spoken' }, legend), options.map(([value, text, off]) => {
      const input = h('input', { type: 'radio', name: `trend-${name}`, value: `${name}-${value}`, class: 'spoken', disabled: off, change: () => change({ ...state, [name]: value }) });
      input.checked = chosen === value;
      return h('label', { class: 'segment' }, input, h('span', null, text));
    }));
    controls.replaceChildren(
      choice('show', 'What is shown', [['', 'Spend'], ['volume', 'Volume']]),
      currencies.length > 1 && state.show !== 'volume' ? choice('currency', 'Currency', currencies.map((code) => [code, code]), currency) : '',
      choice('by', 'Period', Object.keys(lengths).map((unit) => [unit === 'day' ? '' : unit, lengths[unit][1].replace('Last ', ''), refused.has(unit)])));
    if (held) controls.querySelector(`input[value="${held}"]`)?.focus();
  }

  function draw(state, found, today) {
    const unit = state.by || 'day';
    const period = stretch(unit, today);
    const rows = within(found.rows, period);
    const sum = sumUp(rows);
    const currencies = sum.charged.map((c) => c.currency);
    const currency = [state.currency, found.currency, currencies[0]].find((code) => currencies.includes(code)) ?? found.currency;
    const volume = state.show === 'volume';
    drawControls(state, currencies, currency);
    const held = place.contains(document.activeElement);
    drop();
    const shown = allProducts.filter((product) => rows.some((row) => row.key.product === product));
    const figure = (of) => (volume ? count(of.records) : money(chargedIn(of, currency), currency));
    const size = (of) => (volume ? of.records : Number(chargedIn(of, currency))); // for a height alone
    heading.textContent = `${volume ? 'Volume' : 'Spend'} by ${unit}${volume || currencies.length < 2 ? '' : `, in ${currency}`}`;
    total.replaceChildren(h('strong', null, volume ? count(sum.records) : shortMoney(chargedIn(sum, currency), currency)),
      ` in the ${lengths[unit][1].toLowerCase()}${!volume && sum.unrated ? `, and ${counted(sum.unrated, 'record')} without a price` : ''}`);

    if (rows.length === 0) {
      place.replaceChildren(h('p', { class: 'empty-line' }, `No usage in the ${lengths[unit][1].toLowerCase()}.`));
      return;
    }
    const byProduct = groupRows(rows, (row) => row.key.product);
    const columns = period.all.map((span) => {
      const inSpan = within(rows, span);
      const isPending = isPendingIn(found, span);
      const isRunning = span.to > today;
      const label = `${nameOf[unit](span)}${isRunning ? ', so far' : ''}${isPending ? ', still being counted' : ''}`;
      const parts = shown.map((product) => ({ product, sum: sumUp(inSpan.filter((row) => row.key.product === product)) })).filter((part) => part.sum.records > 0);
      const marks = parts.map(({ product, sum: part }) => ({
        size: size(part), tone: product, href: hrefOf(span, product),
        name: `${label}, ${productWord(product).label}: ${money(chargedIn(part, currency), currency)}, ${counted(part.records, productWord(product).one, productWord(product).many)}`,
      }));
      const lines = parts.map(({ product, sum: part }) => ({ tone: product, term: productWord(product).label, text: figure(part) })).reverse();
      const all = sumUp(inSpan);
      if (parts.length !== 1) lines.push({ term: parts.length ? 'Together' : 'No usage', text: parts.length ? figure(all) : '' });
      if (!volume && all.unrated) lines.push({ term: 'Without a price', text: count(all.unrated) });
      return {
        label, lines, short: briefly[unit](span), isMarked: isPending, span, parts, all,
        marks: marks.length ? marks : [{ size: 0, tone: 'none', href: hrefOf(span, null), name: `${label}: no usage` }],
      };
    });
    chart = barChart({
      label: `${heading.textContent}, ${lengths[unit][1].toLowerCase()}. The arrow keys lead from bar to bar.`, columns,
      scale: (n) => (volume ? compactCount(n) : compactMoney(n, currency)),
    });
    const legend = h('ul', { class: 'legend' }, shown.map((product) => h('li', null,
      h('a', { href: hrefOf(period, product) }, h('span', { class: `swatch tone-${product}` }), productWord(product).label, ' ', h('strong', null, volume ? count(sumUp(byProduct.get(product)).records) : shortMoney(chargedIn(sumUp(byProduct.get(product)), currency), currency))))));
    const notes = [caption, pendingText(found)].filter(Boolean).join(' ');
    place.replaceChildren(chart.element, legend, notes && h('p', { class: 'hint' }, notes),
      behind(columns, shown, figure, sum, hrefOf, byProduct));
    if (held) element.querySelector('.chart-mark[tabindex="0"]')?.focus();
  }

  return { element, update, leave() { stop?.abort(); drop(); } };
}

// What a summary's totals may still become, in a sentence; '' where they stand.
export function pendingText({ complete, pending, isAllNamed, isCounted }) {
  if (complete) return '';
  if (!isCounted) return 'Totals of earlier usage are not counted yet, so these figures are too low.';
  const days = new Set([...pending].map((p) => p.split(' ')[2]));
  return `${isAllNamed ? counted(days.size, 'day is', 'days are') : 'Many days are'} being counted again: these figures may still change.`;
}

// The table behind a chart: every figure of it to its last digit.
function behind(columns, shown, figure, sum, hrefOf, byProduct) {
  return h('details', { class: 'behind' },
    h('summary', null, icon('next'), 'Show as a table'),
    h('div', { class: 'behind-frame', tabindex: '0', role: 'region', 'aria-label': 'The figures of the chart' },
      h('table', { class: 'plain' },
        h('thead', null, h('tr', null, h('th', { scope: 'col' }, 'Period'), shown.map((product) => h('th', { scope: 'col', class: 'numeric' }, productWord(product).label)), h('th', { scope: 'col', class: 'numeric' }, 'Together'))),
        h('tbody', null, [...columns].reverse().map((column) => h('tr', null, h('th', { scope: 'row' }, column.label),
          shown.map((product) => {
            const part = column.parts.find((p) => p.product === product);
            return h('td', { class: 'numeric' }, part ? h('a', { class: 'row-link', href: hrefOf(column.span, product) }, figure(part.sum)) : h('span', { class: 'quiet' }, '0'));
          }),
          h('td', { class: 'numeric' }, figure(column.all))))),
        h('tfoot', null, h('tr', null, h('th', { scope: 'row' }, 'All'), shown.map((product) => h('td', { class: 'numeric' }, figure(sumUp(byProduct.get(product))))), h('td', { class: 'numeric' }, figure(sum)))))));
}
