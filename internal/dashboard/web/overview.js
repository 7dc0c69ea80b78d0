// The overview of all customers: what they spent and used, which of them changed most, and whose
// credit is low.

import { address, get } from './api.js';
import { addDays, beginningOf, dayOf, firstOfMonth, knownZone } from './days.js';
import { h } from './dom.js';
import { arrivalCard, figureBones, monthFigures, spendCard, volumeCard } from './figures.js';
import { fullTime } from './format.js';
import { lowCard, lowPanel, readLow } from './lowcredit.js';
import { moversPanel, readMovers, usersPanel } from './movers.js';
import { emptyPlace, whyNobody } from './notice.js';
import { productPanel } from './productpanel.js';
import { customersPage } from './roster.js';
import { formatRoute, noFilters } from './route.js';
import { readRecent, readStatuses, readSummary, readTrend, summaryOf } from './summary.js';
import { trend } from './trend.js';
import { troubleBox } from './trouble.js';
import { products } from './vocabulary.js';
import { inUTC } from './zone.js';

const steps = summaryOf(null);

export function overviewView({ go, learn, known, self }) {
  let route = null;
  let stop = null;
  let zone = null; // of all customers; null: they have several
  let today = '';
  let currency = 'EUR'; // that most have
  let recent = null; // a promise, which the figures and the chart wait for
  let changed = null; // a promise: who spends more or less than before
  let isEmpty = false; // there is no customer
  let chosen = ''; // the mark whose customers are listed

  const heading = h('h1', { tabindex: '-1' }, 'Overview');
  const fresh = h('p', { class: 'lead fresh' }, h('span', { class: 'bone' }));
  const place = (className) => h('div', { class: className });
  const [numbers, arrived, low] = [1, 2, 3].map(() => place('figure-place'));
  const [users, movers, lowList, productsPlace] = [1, 2, 3, 4].map(() => place('board-place'));
  const figures = h('div', { class: 'figures' }, numbers, arrived, low);
  const trouble = troubleBox(heading);
  const chart = trend({
    read: async (unit, period, signal) => readTrend(steps, unit, { ...period, to: end() }, await recent, signal).then((found) => found && { ...found, currency }),
    change: (state) => go({ ...route, ...state }, { replace: true }),
    failed: (where, problem, retry) => trouble.tell(where, problem, () => { recent = askRecent(); retry(); }, 'Spend and volume'),
    hrefOf: (span, product) => formatRoute({ ...route, from: span.from, to: span.to, product: product ?? '' }),
    caption: 'A bar leads to the customers that it is made of.',
  });
  const parts = h('div', { class: 'overview', hidden: true }, figures, chart.element, users, h('div', { class: 'boards' }, movers, lowList), productsPlace);
  const first = place('board-place');
  const element = h('div', { class: 'view' }, h('header', { class: 'view-head' }, heading, fresh), trouble.element, first, parts);

  // Where customers have several zones, it is tomorrow already for some.
  const end = () => addDays(today, zone ? 1 : 2);
  const askRecent = () => readRecent(steps, today, end(), stop.signal);

  function told() {
    if (isEmpty) first.replaceChildren(emptyPlace('No customers yet', whyNobody(self())));
  }

  async function load() {
    stop?.abort();
    stop = new AbortController();
    const { signal } = stop;
    first.replaceChildren(h('div', { class: 'figures', 'aria-busy': 'true' }, figureBones(4)));
    try {
      const page = await get(customersPage({ search: '', product: '', credit: '' }), { signal });
      page.data.forEach(learn);
      first.replaceChildren();
      isEmpty = page.data.length === 0;
      if (isEmpty) told();
      else begin(page.data);
    } catch (problem) {
      if (!signal.aborted && problem.status !== 401) trouble.tell(first, problem, load, 'Your customers');
    }
  }

  function begin(customers) {
    const zones = new Set(customers.map((c) => c.timeZone));
    zone = zones.size === 1 ? knownZone(customers[0].timeZone) : null;
    today = dayOf(new Date(), zone ?? 'UTC');
    currency = mostOf(customers.map((c) => c.currency));
    const currencies = new Set(customers.map((c) => c.currency)).size;
    figures.classList.toggle('many', currencies > 2); // a line for each, so that nothing moves when they come
    figures.style.setProperty('--currencies', currencies);
    trouble.clear();
    parts.hidden = false;
    recent = askRecent();
    numbers.replaceChildren(...figureBones(2));
    for (const one of [arrived, low]) one.replaceChildren(...figureBones(1));
    chart.update(route, today);
    drawUsers();
    drawFigures();
    drawCredit();
    drawMovers();
  }

  async function part(where, words, again, work) {
    const { signal } = stop;
    where.setAttribute('aria-busy', 'true');
    try {
      await work(signal);
    } catch (problem) {
      if (!signal.aborted && problem.status !== 401) trouble.tell(where, problem, again, words);
    }
    if (!signal.aborted) where.setAttribute('aria-busy', 'false');
  }

  async function drawFigures() {
    const month = { from: firstOfMonth(today), to: end() };
    const again = () => { recent = askRecent(); drawFigures(); };
    part(numbers, 'Spend and volume', again, async () => {
      const found = await recent;
      const sums = monthFigures(found, today, null);
      numbers.replaceChildren(spendCard(sums, currency, () => null), volumeCard(sums, () => null));
      fresh.replaceChildren(found.changedAt ? 'Totals last changed ' : 'No usage was loaded lately',
        found.changedAt && h('time', { datetime: found.changedAt }, fullTime(found.changedAt, inUTC())),
        zone ? `. Days are those of ${zone}.` : '. Each customer’s days are those of its own time zone.');
    });
    const statuses = readStatuses(month, today, stop.signal);
    part(arrived, 'What was delivered', again, async () => {
      const { rows, words } = await statuses;
      arrived.replaceChildren(arrivalCard(rows, products, words, () => null));
    });
    part(productsPlace, 'The products', again, async () => {
      const [found, { rows, words }] = await Promise.all([recent, statuses]);
      productsPlace.replaceChildren(productPanel({ products: products.filter((product) => found.rows.some((row) => row.key.product === product)), recent: found, byStatus: rows, month, of: words }));
    });
  }

  function drawCredit() {
    part(low, 'Whose credit is low', drawCredit, async (signal) => {
      const found = await readLow(signal);
      found.customers.forEach(learn);
      low.replaceChildren(lowCard(found));
      lowList.replaceChildren(lowPanel(found));
    });
  }

  function drawMovers() {
    part(movers, 'Who changed most', drawMovers, async (signal) => {
      changed ??= readMovers(steps, today, signal);
      const found = await changed.catch((problem) => { changed = null; throw problem; });
      await nameAll(found.accounts(route.currency || currency), signal);
      movers.replaceChildren(moversPanel(found, { currency: route.currency || currency, known, choose: (code) => go({ ...route, currency: code }, { replace: true }) }));
    });
  }

  function drawUsers() {
    const { from, to, product } = route;
    const mark = from && `${from} ${to} ${product}`;
    if (mark === chosen) return;
    chosen = mark;
    users.replaceChildren();
    if (!mark) return;
    part(users, 'The customers of this bar', () => { chosen = ''; drawUsers(); }, async (signal) => {
      const found = await readSummary(steps, { from, to, product, groupBy: ['customer', 'product'] }, signal);
      if (chosen !== mark) return;
      const list = usersPanel(found, { from, to, product, currency: route.currency || currency, show: route.show });
      await nameAll(list.accounts, signal);
      if (chosen !== mark) return;
      users.replaceChildren(list.draw(known, logOf, () => go({ ...route, from: '', to: '', product: '' })));
      users.querySelector('h2').focus({ preventScroll: true });
      users.scrollIntoView({ block: 'nearest' });
    });
  }

  // The log of a customer's product, of those days, which begin when they do in its zone.
  function logOf(account, product, { from, to }) {
    const own = known(account);
    const filters = own ? { ...noFilters, period: 'custom', from: beginningOf(from, knownZone(own.timeZone)), to: beginningOf(to, knownZone(own.timeZone)) } : noFilters;
    return formatRoute({ view: 'log', account, product, filters, utc: inUTC() });
  }

  // Summaries name customers by account ID alone.
  async function nameAll(accounts, signal) {
    await Promise.all(accounts.filter((account) => !known(account)).map(async (account) => {
      try {
        learn(await get(address(['customers', account]), { signal }));
      } catch (problem) {
        if (problem.status === 401) throw problem; // else its ID is its name
      }
    }));
  }

  return {
    element,
    heading,
    title: () => 'Overview',
    told,
    update(next) {
      const before = route;
      route = next;
      if (!before) {
        load();
        return;
      }
      if (!today) return;
      drawUsers();
      if (['by', 'show', 'currency'].some((key) => before[key] !== next[key])) chart.update(route, today);
      if (before.currency !== next.currency) drawMovers();
    },
    leave() {
      stop?.abort();
      chart.leave();
    },
  };
}

function mostOf(words) {
  const counts = new Map();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))[0][0];
}
