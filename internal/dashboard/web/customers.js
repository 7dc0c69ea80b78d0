// Partners → Customers: the page "Manage customers".

import { address, get } from './api.js';
import { creditCell } from './credit.js';
import { h, icon, name, spoken } from './dom.js';
import { listing } from './listing.js';
import { emptyPlace, toast } from './notice.js';
import { formatRoute, isSecret } from './route.js';
import { products, productWord } from './vocabulary.js';

const pause = 250; // milliseconds without a key before a search is sent
const customersAPage = '25';

const columns = [
  { label: 'Customer', className: 'col-name', header: true, cell: (c) => h('a', { class: 'row-link', href: formatRoute({ view: 'overview', account: c.accountId }) }, name(c.name)) },
  { label: 'Account ID', className: 'col-id', cell: (c) => h('code', null, c.accountId) },
  { label: 'Products', className: 'col-products', cell: productIcons },
  { label: 'Currency', className: 'col-currency', cell: (c) => c.currency },
  { label: 'Remaining credit', className: 'col-credit numeric', cell: (c) => creditCell(c.remainingCredit) },
];

// Each product has its own place, so that a column of customers can be compared.
function productIcons(customer) {
  return h('ul', { class: 'products' }, products.map((product) => (customer.products.includes(product)
    ? h('li', { title: productWord(product).label }, icon(product), spoken(productWord(product).label))
    : h('li', { class: 'absent', 'aria-hidden': 'true' }))));
}

// The address of a page of customers.
export function customersPage({ search, product }, cursor = null) {
  return address(['customers'], { search, product, limit: customersAPage, cursor });
}

export function customersView({ go, learn, self }) {
  const nobody = h('span'); // why there is nobody, and whom to ask
  let route = null;
  let timer = 0;

  const list = listing({
    label: 'Customers',
    one: 'customer',
    many: 'customers',
    columns: () => columns,
    rowId: (c) => c.accountId,
    async read(query, cursor, signal) {
      const page = await get(customersPage(query, cursor), { signal });
      page.data.forEach(learn);
      return page;
    },
    empty: ({ search, product }) => (search || product
      ? emptyPlace('No customer matches',
        search ? ['Nothing assigned to you has “', name(search), `” in its name or account ID${product ? ` and uses ${productWord(product).label}` : ''}. Try fewer or shorter words.`] : `None of your customers uses ${productWord(product).label}.`,
        [{ text: 'Show all customers', click: () => { field.value = ''; go({ view: 'customers', search: '', product: '' }); } }])
      : emptyPlace('No customers yet', nobody)),
  });

  function told() {
    const { narrowed, partnerName, partnerCustomers } = self() ?? {};
    nobody.replaceChildren(...(narrowed && partnerCustomers !== 0
      ? ['None of the customers of ', name(partnerName), ' is assigned to you. Ask whoever manages access there, or the platform’s operator, to assign some; they appear here within a minute.']
      : ['No customer account is assigned to you. Ask the platform’s operator to assign one; it appears here within a minute.']));
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

  const choice = (value, text, picture) => {
    const input = h('input', { type: 'radio', name: 'product', value, class: 'spoken', change: () => go({ ...route, search: field.value.trim(), product: value }) });
    return h('label', { class: 'segment' }, input, h('span', null, picture && icon(picture), text));
  };
  const choices = h('fieldset', { class: 'segments' }, h('legend', { class: 'spoken' }, 'Product'),
    choice('', 'All', null), products.map((product) => choice(product, productWord(product).label, product)));

  const heading = h('h1', { tabindex: '-1' }, 'Manage customers');
  const element = h('div', { class: 'view' },
    h('header', { class: 'view-head' }, h('p', { class: 'eyebrow' }, 'Partners'), heading,
      h('p', { class: 'lead' }, 'The accounts that are assigned to you. Open one to see its credit, its usage and what each record costs.')),
    h('div', { class: 'toolbar', role: 'search', 'aria-label': 'Customers' },
      h('div', { class: 'search' }, h('label', { for: 'customer-search', class: 'spoken' }, 'Search customers by name or account ID'), icon('search'), field),
      choices),
    list.element);

  return {
    element,
    heading,
    title: () => 'Manage customers',
    update(next, kept) {
      route = next;
      if (document.activeElement !== field) field.value = next.search;
      choices.querySelector(`input[value="${next.product}"]`).checked = true;
      const query = { search: next.search, product: next.product };
      if (!list.recall(kept?.list, query)) list.ask(query);
    },
    remember: () => ({ list: list.remember() }),
    told,
    leave() {
      clearTimeout(timer);
      list.stop();
    },
  };
}
