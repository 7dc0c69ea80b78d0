// Partners → Customers: the page "Manage customers".

import { creditCell, spendCell } from './credit.js';
import { h, icon, name, spoken } from './dom.js';
import { downloadButton } from './download.js';
import { counted } from './format.js';
import { announce, emptyPlace, failure, toast, whyNobody } from './notice.js';
import { inOrder, nextOrder, orderParts } from './order.js';
import { pager } from './pager.js';
import { customersPage, isWhole, roster } from './roster.js';
import { formatRoute, isSecret } from './route.js';
import { tableOf } from './table.js';
import { areTooMany, tally } from './tally.js';
import { products, productWord } from './vocabulary.js';

const pause = 250; // milliseconds without a key before a search is sent
const slow = 4000; // milliseconds until the page says that it still waits
const rowsAPage = 100;

// Each product has its own place, so that a column of customers can be compared.
function productIcons(customer) {
  return h('ul', { class: 'products' }, products.map((product) => (customer.products.includes(product)
    ? h('li', { title: productWord(product).label }, icon(product), spoken(productWord(product).label))
    : h('li', { class: 'absent', 'aria-hidden': 'true' }))));
}

export function customersView({ go, learn, self }) {
  const nobody = h('span'); // why there is nobody, and whom to ask
  let route = null;
  let timer = 0;
  let late = 0;

  const column = (key, label, className, cell, more = {}) => ({
    label, className, cell, ...more,
    ...(isWhole(list.state()) && { sort: orderParts(route.order).key === key ? orderParts(route.order).sort : 'none', press: () => go({ ...route, order: nextOrder(route.order, key) }, { replace: true }) }),
  });
  const table = tableOf({
    label: 'Customers', rowId: (c) => c.accountId, bones: 10,
    columns: () => [
      column('name', 'Customer', 'col-name', (c) => h('a', { class: 'row-link', href: formatRoute({ view: 'overview', account: c.accountId }) }, name(c.name)), { header: true }),
      column('id', 'Account ID', 'col-id', (c) => h('code', null, c.accountId)),
      { label: 'Products', className: 'col-products', cell: productIcons },
      column('currency', 'Currency', 'col-currency', (c) => c.currency),
      column('spend', 'Spend this month', 'col-spend numeric', (c) => spendCell(c.spend)),
      column('credit', 'Remaining credit', 'col-credit numeric', (c) => creditCell(c.remainingCredit, route.credit === 'low' || Boolean(counts.low()?.has(c.accountId)))),
    ],
  });
  const list = roster({ changed, learn });
  const pages = pager({ aPage: rowsAPage, label: 'Pages of customers', turned: () => { drawRows(); scrollTo(0, 0); } });
  const counts = tally({
    list: list.state,
    learned: () => { if (list.state().phase !== 'first' && lowOnes() !== marked) drawRows(); }, // a row that is drawn anew swallows a click
    refused: (yes) => { credits.disabled = yes; },
    retried: () => heading.focus(),
  });
  let marked = ''; // lowOnes of the rows as they are drawn
  const said = h('p', { class: 'count', tabindex: '-1' });
  const waiting = h('p', { class: 'waiting', hidden: true }, 'Still waiting for the service…');
  const more = h('button', { type: 'button', class: 'button load-more', click: () => list.more() }, 'Load 1,000 more');
  const foot = h('div', { class: 'listing-foot' }, said, pages.element, more);
  const place = h('div', { class: 'listing-place' });
  const listed = h('div', { class: 'listing', tabindex: '-1' }, table.element, waiting, place, foot);

  function changed(now) {
    const { phase, customers, cursor, problem } = now;
    const busy = phase !== 'done';
    listed.setAttribute('aria-busy', String(busy));
    listed.classList.toggle('stale', phase === 'again');
    clearTimeout(late);
    waiting.hidden = true;
    if (busy) late = setTimeout(() => { waiting.hidden = false; announce(waiting.textContent); }, slow);
    if (place.contains(document.activeElement)) listed.focus({ preventScroll: true }); // what was pressed goes
    place.replaceChildren();
    if (phase === 'again') return;
    table.hide(phase !== 'first' && customers.length === 0);
    foot.hidden = customers.length === 0;
    if (phase === 'first') {
      table.drawBones();
      return;
    }
    drawRows();
    if (busy) return;
    if (problem) place.replaceChildren(failure(problem, customers.length > 0 ? list.more : () => list.ask(now.query), areTooMany(problem) ? [{ text: 'Show all customers', click: all }] : []));
    else if (customers.length === 0 && cursor === null) place.replaceChildren(empty());
    counts.count();
    if (!problem) announce(customers.length === 0 ? 'No customers found.' : said.textContent);
  }

  // The accounts of the list whose credit is known to be low.
  function lowOnes() {
    return list.state().customers.filter((c) => counts.low()?.has(c.accountId)).map((c) => c.accountId).join();
  }

  function drawRows() {
    const now = list.state();
    marked = lowOnes();
    const rows = inOrder(now.customers, isWhole(now) ? route.order : '');
    pages.set(rows.length, pages.first());
    const held = table.element.contains(document.activeElement) && document.activeElement.closest('tr[data-row]')?.dataset.row;
    table.draw(pages.of(rows));
    if (held) table.row(held)?.querySelector('a').focus({ preventScroll: true });
    const hadFocus = document.activeElement === more;
    more.hidden = now.phase !== 'done' || now.cursor === null || now.problem !== null;
    said.textContent = footText(now);
    if (hadFocus && more.hidden) said.focus();
  }

  function footText(now) {
    const { phase, customers } = now;
    const some = counted(customers.length, 'customer');
    if (phase === 'more') return `Loading… ${some} so far.`;
    if (now.problem) return `The first ${some}, by name. The others could not be loaded.`;
    if (now.cursor !== null) return `The first ${some}, by name. Another order needs all of them: search, or choose a product or a credit, to have fewer.`;
    const { key, sort } = orderParts(route.order);
    const currencies = new Set(customers.map((c) => c.currency));
    const order = key !== 'spend' && key !== 'credit' ? '' : ` By ${key === 'spend' ? 'spend' : 'remaining credit'}, the ${sort === 'ascending' ? 'least' : 'most'} first${currencies.size > 1 ? ', within each currency' : ''}.`;
    return `${some} shown. That is all.${order}`;
  }

  function empty() {
    const { search, product, credit } = route;
    if (!search && !product && !credit) return emptyPlace('No customers yet', nobody);
    const uses = product ? ` ${search ? 'and ' : ''}uses ${productWord(product).label}` : '';
    const has = credit ? `${search || product ? ' and has' : ' has'} ${credit === 'low' ? 'low' : 'exhausted'} credit` : '';
    return emptyPlace('No customer matches',
      search ? ['Nothing assigned to you has “', name(search), `” in its name or account ID${uses}${has}. Try fewer or shorter words.`] : `None of your customers${uses}${has}.`,
      [{ text: 'Show all customers', click: all }]);
  }

  function all() {
    field.value = '';
    go({ ...route, search: '', product: '', credit: '' });
  }

  function told() {
    nobody.replaceChildren(...whyNobody(self()));
  }

  told();

  const field = h('input', {
    type: 'search', id: 'customer-search', autocomplete: 'off', spellcheck: 'false', maxlength: '200', placeholder: 'Name or account ID',
    input: () => { clearTimeout(timer); timer = setTimeout(search, pause); },
    keydown: (event) => { if (event.key === 'Enter') { event.preventDefault(); search(); } },
  });

  function search() {
    clearTimeout(timer);
    if (isSecret(field.value)) {
      field.value = '';
      toast('That was an access key. It was not searched for.');
      return;
    }
    if (field.value.trim() !== route.search) go({ ...route, search: field.value.trim() }, { replace: true });
  }

  const choices = (key, legend, options) => h('fieldset', { class: 'segments' }, h('legend', { class: 'spoken' }, legend), options.map(([value, text, picture]) =>
    h('label', { class: 'segment' },
      h('input', { type: 'radio', name: key, value, class: 'spoken', change: () => go({ ...route, search: field.value.trim(), [key]: value }) }),
      h('span', null, picture && icon(picture), text))));
  const uses = choices('product', 'Product', [['', 'All', null], ...products.map((product) => [product, productWord(product).label, product])]);
  const credits = choices('credit', 'Credit', [['', 'Any credit', null], ['low', 'Low', 'warning'], ['exhausted', 'Exhausted', 'cross']]);

  const heading = h('h1', { tabindex: '-1' }, 'Manage customers');
  const element = h('div', { class: 'view' },
    h('header', { class: 'view-head view-head-row' }, h('div', null, heading, counts.element), h('div', { class: 'view-tools' },
      downloadButton(() => ({ url: customersPage(list.state().query), file: 'customers.csv', one: 'customer', many: 'customers' })))),
    h('div', { class: 'toolbar', role: 'search', 'aria-label': 'Customers' },
      h('div', { class: 'search' }, h('label', { for: 'customer-search', class: 'spoken' }, 'Search customers by name or account ID'), icon('search'), field),
      uses, credits),
    listed);

  return {
    element,
    heading,
    title: () => 'Manage customers',
    update(next, kept) {
      const before = route;
      route = next;
      if (document.activeElement !== field) field.value = next.search;
      uses.querySelector(`input[value="${next.product}"]`).checked = true;
      credits.querySelector(`input[value="${next.credit}"]`).checked = true;
      counts.ask({ search: next.search, product: next.product }, kept?.low);
      const query = { search: next.search, product: next.product, credit: next.credit };
      if (kept) pages.set(kept.list.customers.length, kept.first);
      if (list.recall(kept?.list, query)) return;
      if (before && JSON.stringify(query) === JSON.stringify(list.state().query)) {
        pages.set(list.state().customers.length);
        drawRows();
        announce(said.textContent);
        return;
      }
      pages.set(0);
      list.ask(query);
    },
    remember: () => ({ list: list.state(), first: pages.first(), low: counts.low() }),
    told,
    leave() {
      clearTimeout(timer);
      clearTimeout(late);
      list.stop();
      counts.stop();
    },
  };
}
