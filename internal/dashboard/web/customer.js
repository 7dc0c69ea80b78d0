// A customer's overview: four figures, spend and volume over time, each product this month, and the
// account's facts.

import { address, get } from './api.js';
import { creditCard } from './creditcard.js';
import { addDays, beginningOf, dayOf, firstOfMonth, knownZone, monthText } from './days.js';
import { h } from './dom.js';
import { arrivalCard, figureBones, loadedThrough, monthFigures, spendCard, volumeCard } from './figures.js';
import { fullTime, money } from './format.js';
import { emptyPlace, failure } from './notice.js';
import { panelBones, productPanel } from './productpanel.js';
import { formatRoute, noFilters } from './route.js';
import { readRecent, readSummary, readTrend, summaryOf } from './summary.js';
import { trend } from './trend.js';
import { troubleBox } from './trouble.js';
import { inUTC } from './zone.js';

export function customerView({ go, account, customer, learn, missed, renamed }) {
  const steps = summaryOf(account);
  let route = null;
  let stop = null;
  let shown = null; // the customer that the parts are of
  let today = '';
  let recent = null; // a promise, which both the figures and the chart wait for
  let pace = null; // what the credit's end is told from

  const heading = h('h1', { tabindex: '-1' }, 'Overview');
  const fresh = h('div', { class: 'lead fresh' }, h('span', { class: 'bone' }));
  const figures = h('div', { class: 'figures' });
  const credit = h('div', { class: 'figure-place' });
  const numbers = h('div', { class: 'figure-place' });
  const arrived = h('div', { class: 'figure-place' });
  const productsPlace = h('div', { class: 'board-place' });
  const about = h('div', { class: 'board-place' });
  const trouble = troubleBox(heading);
  const problemPlace = h('div', { class: 'trouble' });
  const chart = trend({
    read: async (unit, period, signal) => readTrend(steps, unit, { ...period, to: addDays(today, 1) }, await recent, signal).then((found) => found && { ...found, currency: shown.currency }),
    change: (state) => go({ ...route, ...state }, { replace: true }),
    failed: (place, problem, retry) => trouble.tell(place, problem, () => { recent = askRecent(); retry(); }, 'Spend and volume'),
    hrefOf: logOf,
  });
  figures.append(credit, numbers, arrived);
  const parts = h('div', { class: 'overview' }, figures, chart.element, productsPlace, about);
  const element = h('div', { class: 'view' },
    h('header', { class: 'view-head' }, heading, fresh),
    trouble.element, problemPlace, parts);

  // The log of a product, of the days of a span. A day begins when it does in the customer's zone.
  function logOf(span, product, filters = {}) {
    const zone = knownZone(shown.timeZone);
    return formatRoute({
      view: 'log', account, product: product ?? shown.products[0], utc: inUTC(),
      filters: { ...noFilters, ...filters, period: 'custom', from: beginningOf(span.from, zone), to: beginningOf(span.to, zone) },
    });
  }

  function askRecent() {
    return readRecent(steps, today, addDays(today, 1), stop.signal);
  }

  async function load() {
    stop?.abort();
    stop = new AbortController();
    const { signal } = stop;
    if (customer()) begin(customer());
    else bones();
    problemPlace.replaceChildren();
    try {
      const found = await get(address(['customers', account]), { signal });
      learn(found);
      renamed();
      if (shown && String(shown.products) === String(found.products) && shown.timeZone === found.timeZone) draw(found);
      else begin(found);
    } catch (problem) {
      if (signal.aborted || problem.status === 401) return;
      if (problem.status === 404) {
        stop.abort();
        chart.leave();
        parts.replaceChildren();
        missed();
      }
      if (problem.status === 404 || !shown) parts.hidden = true;
      if (problem.status === 404) problemPlace.replaceChildren(failure(problem, null, [{ text: 'All customers', href: '#/customers' }]));
      else trouble.tell(problemPlace, problem, load, 'The account’s latest figures');
    }
  }

  function bones() {
    credit.replaceChildren(...figureBones(1));
    numbers.replaceChildren(...figureBones(2));
    arrived.replaceChildren(...figureBones(1));
    productsPlace.replaceChildren(panelBones(shown?.products.length ?? 4));
    figures.setAttribute('aria-busy', 'true');
  }

  // Asks for everything else about a customer.
  function begin(c) {
    shown = c;
    pace = null;
    today = dayOf(new Date(), knownZone(c.timeZone));
    parts.hidden = false;
    trouble.clear();
    bones();
    draw(c);
    parts.replaceChildren(figures, chart.element, productsPlace, about);
    if (c.products.length === 0) {
      parts.replaceChildren(emptyPlace('No products', 'None of this customer’s products is enabled and assigned to you.'), about);
      figures.setAttribute('aria-busy', 'false');
      return;
    }
    recent = askRecent();
    chart.update(route, today);
    drawNumbers(stop.signal);
  }

  async function drawNumbers(signal) {
    figures.setAttribute('aria-busy', 'true');
    const month = { from: firstOfMonth(today), to: addDays(today, 1) };
    const logs = get(address(['customers', account, 'usage']), { signal });
    const statuses = readSummary(steps, { ...month, groupBy: ['product', 'direction', 'status'] }, signal);
    const settle = async (place, what, words, then) => {
      try {
        then(await what);
      } catch (problem) {
        if (!signal.aborted && problem.status !== 401) trouble.tell(place, problem, again, words);
      }
    };
    const again = () => { recent = askRecent(); drawNumbers(stop.signal); };
    // Until it is known how far usage is loaded, the line that compares has its room, and is not shown.
    const drawMonth = (found, through, isGuess) => {
      const sums = monthFigures(found, today, through);
      const hrefOf = (product) => logOf(month, product);
      numbers.replaceChildren(spendCard(sums, shown.currency, hrefOf), volumeCard(sums, hrefOf));
      numbers.classList.toggle('guessed', isGuess);
    };
    const known = logs.catch(() => ({ data: null })); // without how far usage is loaded, the figures stand
    await Promise.all([
      settle(numbers, Promise.all([recent.then((found) => { drawMonth(found, null, true); return found; }), known]), 'Spend and volume', ([found, { data }]) => {
        const loaded = data && loadedThrough(data, knownZone(shown.timeZone));
        drawMonth(found, loaded?.day, false);
        pace = { rows: found.rows, from: found.from, complete: found.complete, through: loaded?.day, today, zone: knownZone(shown.timeZone) };
        credit.replaceChildren(creditCard(shown.remainingCredit, pace));
      }),
      settle(fresh, logs, 'How far usage is loaded', ({ data }) => {
        const loaded = loadedThrough(data, knownZone(shown.timeZone));
        if (loaded) fresh.replaceChildren('Loaded through ', timeOf(loaded.at));
        else fresh.replaceChildren('No usage was loaded yet.');
      }),
      settle(arrived, statuses, 'What was delivered', (found) => arrived.replaceChildren(
        arrivalCard(found.rows, shown.products, `in ${monthText(month.from)}`, (product, wanted, direction) => logOf(month, product, { status: wanted, direction })))),
      settle(productsPlace, Promise.all([recent, known, statuses]), 'The products', ([found, { data }, byStatus]) => {
        productsPlace.replaceChildren(productPanel({ products: shown.products, recent: found, byStatus: byStatus.rows, logs: data, month, logOf, loadedText: (log) => (log?.loadedThrough ? timeOf(log.loadedThrough) : 'Nothing yet') }));
      }),
    ]);
    if (!signal.aborted) figures.setAttribute('aria-busy', 'false');
  }

  function draw(c) {
    shown = c;
    const held = c.remainingCredit;
    credit.replaceChildren(creditCard(held, pace));
    about.replaceChildren(h('section', { class: 'board', 'aria-label': 'Account' },
      h('h2', null, 'Account'),
      h('dl', { class: 'facts facts-wide' }, [
        ['Billing', held.billingMode === 'postpaid' ? 'Postpaid: billed after use' : 'Prepaid'],
        ['Currency', currencyName(c.currency)],
        held.creditLimit !== null && ['Credit limit', money(held.creditLimit, held.currency)],
        ['Time zone of its days', c.timeZone],
      ].filter(Boolean).map(([term, value]) => h('div', null, h('dt', null, term), h('dd', null, value))))));
  }

  return {
    element,
    heading,
    title: () => customer()?.name ?? account,
    update(next) {
      const first = route === null;
      route = next;
      if (first) load();
      else if (shown) chart.update(route, today);
    },
    leave() {
      stop?.abort();
      chart.leave();
    },
  };
}

function timeOf(iso) {
  return h('time', { datetime: iso }, fullTime(iso, inUTC()));
}

// "EUR · Euro".
function currencyName(code) {
  try {
    const words = new Intl.DisplayNames('en', { type: 'currency', fallback: 'none' }).of(code);
    return words ? `${code} · ${words}` : code;
  } catch {
    return code;
  }
}
