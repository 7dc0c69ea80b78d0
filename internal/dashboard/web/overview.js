// A customer's overview: the account's facts, and the latest records of each of
// its products.

import { address, get } from './api.js';
import { creditCell } from './credit.js';
import { h, icon } from './dom.js';
import { fullTime, money } from './format.js';
import { listing } from './listing.js';
import { emptyPlace, failure, isOffline } from './notice.js';
import { logColumns } from './records.js';
import { formatRoute } from './route.js';
import { productWord } from './vocabulary.js';
import { inUTC } from './zone.js';

const latest = '5';

export function overviewView({ account, customer, learn, missed, renamed }) {
  let stop = null;
  let lists = [];
  const missing = new Set(); // what to ask for again once the service can be reached

  const heading = h('h1', { tabindex: '-1' }, 'Overview');
  const trouble = h('div', { class: 'trouble' });
  const about = h('div', { class: 'cards' });
  const usage = h('div', { class: 'latest' });
  const element = h('div', { class: 'view' },
    h('header', { class: 'view-head' }, heading),
    trouble, about, usage);

  async function load() {
    stop = new AbortController();
    const { signal } = stop;
    about.setAttribute('aria-busy', 'true');
    const known = customer();
    if (known) draw(known);
    else about.replaceChildren(...cardBones());
    try {
      const found = await get(address(['customers', account]), { signal });
      learn(found);
      renamed();
      draw(found);
      if (String(known?.products) !== String(found.products)) drawUsage(found);
    } catch (problem) {
      if (signal.aborted || problem.status === 401) return;
      const notice = (retry) => failure(problem, retry, [{ text: 'All customers', href: '#/customers' }]);
      if (problem.status === 404) {
        lists.forEach((list) => list.stop());
        usage.replaceChildren();
        about.replaceChildren(notice(null));
        missed();
        return;
      }
      if (!customer()) about.replaceChildren();
      if (isOffline(problem)) offline(problem, load);
      else about.prepend(notice(load));
    } finally {
      about.setAttribute('aria-busy', 'false');
    }
  }

  // Whatever could not be reached is told once, above what is known, with one retry for all.
  function offline(problem, retry) {
    missing.add(retry);
    if (trouble.hasChildNodes()) return;
    trouble.replaceChildren(failure(problem, () => {
      heading.focus();
      trouble.replaceChildren();
      const again = [...missing];
      missing.clear();
      again.forEach((one) => one());
    }));
  }

  function draw(c) {
    const credit = c.remainingCredit;
    about.replaceChildren(
      h('section', { class: 'card card-credit', 'aria-label': 'Remaining credit' },
        h('h2', { class: 'card-title' }, 'Remaining credit'),
        creditCell(credit),
        h('p', { class: 'hint' }, credit.asOf ? `As of ${fullTime(credit.asOf, inUTC())}` : 'The time of this figure is not known.')),
      h('section', { class: 'card', 'aria-label': 'Account' },
        h('h2', { class: 'card-title' }, 'Account'),
        h('dl', { class: 'facts facts-wide' }, [
          ['Billing', credit.billingMode === 'postpaid' ? 'Postpaid: billed after use' : 'Prepaid'],
          ['Currency', currencyName(c.currency)],
          credit.creditLimit !== null && ['Credit limit', money(credit.creditLimit, credit.currency)],
          ['Products', h('ul', { class: 'product-tags' }, c.products.map((product) => h('li', null, icon(product), productWord(product).label)))],
        ].filter(Boolean).map(([term, value]) => h('div', { class: term === 'Products' && 'broad' }, h('dt', null, term), h('dd', null, value))))));
  }

  function drawUsage(c) {
    lists.forEach((list) => list.stop());
    missing.clear();
    trouble.replaceChildren();
    const sections = c.products.map((product) => latestOf(product));
    lists = sections.map(({ list }) => list);
    usage.replaceChildren(...sections.map((section) => section.element));
    if (c.products.length === 0) usage.replaceChildren(emptyPlace('No products', 'None of this customer’s products is enabled and assigned to you.'));
  }

  function latestOf(product) {
    const words = productWord(product);
    const log = formatRoute({ view: 'log', account, product });
    const list = listing({
      label: `Latest ${words.label} ${words.many}`,
      one: words.one,
      many: words.many,
      bones: 5,
      quiet: true,
      rowId: (record) => record.id,
      columns: () => logColumns(product, { utc: inUTC(), open: (record) => formatRoute({ view: 'log', account, product, record: record.id }) }),
      async read(query, cursor, signal) {
        const page = await get(address(['customers', account, 'usage', product], { limit: latest }), { signal });
        return { data: page.data, nextCursor: null };
      },
      failed: (problem, retry) => {
        if (!isOffline(problem)) return failure(problem, retry);
        offline(problem, retry);
        return h('p', { class: 'empty-line' }, `The latest ${words.many} could not be loaded.`);
      },
      empty: () => h('p', { class: 'empty-line' }, `No ${words.many} yet.`),
    });
    list.ask({});
    return {
      list,
      element: h('section', { class: 'latest-product', 'aria-label': words.label },
        h('header', { class: 'section-head' }, h('h2', null, icon(product), words.label), h('a', { href: log }, `Open the ${words.label} log`, icon('next'))),
        list.element),
    };
  }

  return {
    element,
    heading,
    title: () => customer()?.name ?? account,
    update() {
      if (customer()) drawUsage(customer());
      load();
    },
    leave() {
      stop?.abort();
      lists.forEach((list) => list.stop());
    },
  };
}

function cardBones() {
  return [1, 2].map(() => h('div', { class: 'card bones' }, h('span', { class: 'bone' }), h('span', { class: 'bone' }), h('span', { class: 'bone' })));
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
