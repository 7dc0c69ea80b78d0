// What stands around every view: the bar on top, the menu on the left, and above a
// customer's view the line that says whose account it is, the one place of its name and id.

import { h, icon, name, spoken } from './dom.js';
import { customersSeen } from './format.js';
import { issuerName } from './issuer.js';
import { openJump } from './jump.js';
import { copyButton } from './notice.js';
import { formatRoute } from './route.js';
import { who } from './session.js';
import { products, productWord } from './vocabulary.js';

// self is what the API tells of who is signed in; null: nothing yet.
export function drawTop({ signedIn, self, signOut }) {
  const { key, name: person } = who();
  document.getElementById('partner').replaceChildren(...(signedIn && self?.partnerName
    ? [h('span', { class: 'partner-name', title: `The partner whose customers these are: ${self.partnerName}` }, spoken('Customers of '), name(self.partnerName))] : []));
  document.getElementById('tools').replaceChildren(...(signedIn ? [
    self?.narrowed && h('span', { class: 'pill narrowed', title: 'You see only the customers that are assigned to you.' }, customersSeen(self)),
    key && h('span', { class: 'key-id', title: `The access key in use: ${key}` }, icon('key'), spoken('Access key '), self?.label ? name(self.label) : h('code', null, key)),
    !key && (person || self) && h('span', { class: 'key-id', title: `Signed in at ${issuerName}` }, icon('person'), spoken('Signed in as '), person ? name(person) : h('code', null, self.keyId)),
    h('button', { type: 'button', class: 'button sign-out', title: 'Sign out', click: signOut }, icon('leave'), h('span', null, 'Sign out')),
  ].filter(Boolean) : []));
}

// The menu of a route. In a customer's view it lists that customer's products and no other;
// until they are known (undefined), bones; null is no such customer.
export function drawMenu(route, customer) {
  const menu = document.getElementById('menu');
  if (!route) {
    menu.replaceChildren();
    return;
  }
  const link = (href, text, picture, here) => h('li', null, h('a', { href, 'aria-current': here && 'page' }, icon(picture), h('span', null, text)));
  const group = (className, ...items) => h('div', { class: `menu-group ${className}`.trim() }, h('ul', null, items));
  if (!route.account) {
    menu.replaceChildren(group('',
      link('#/overview', 'Overview', 'overview', route.view === 'overview'),
      link('#/customers', 'Customers', 'customers', route.view === 'customers')), reference());
    return;
  }
  const { account } = route;
  menu.replaceChildren(
    group('menu-back', link('#/customers', 'All customers', 'previous', false)),
    group('',
      link(formatRoute({ view: 'overview', account }), 'Overview', 'overview', route.view === 'overview'),
      customer === null ? [] : customer
        ? products.filter((p) => customer.products.includes(p)).map((p) => link(formatRoute({ view: 'log', account, product: p }), productWord(p).label, p, route.product === p))
        : [1, 2].map(() => h('li', { class: 'bones', 'aria-hidden': 'true' }, h('span', { class: 'bone' })))),
    reference());
  reveal(menu);
}

// On a narrow page the menu is a strip that scrolls: the current item goes to its middle.
function reveal(menu) {
  const here = menu.querySelector('[aria-current]');
  if (here) menu.scrollLeft = here.offsetLeft - (menu.clientWidth - here.offsetWidth) / 2;
}

function reference() {
  return h('div', { class: 'menu-group menu-end' }, h('ul', null, h('li', null, h('a', { href: 'docs' }, icon('book'), h('span', null, 'API reference')))));
}

// Whose account this is, and that nothing here can change it. It stays while the page scrolls,
// and so does the way back that narrow pages have in it.
export function drawBanner(route, customer) {
  const banner = document.getElementById('banner');
  banner.hidden = !route?.account || customer === null;
  if (banner.hidden) {
    banner.replaceChildren();
    return;
  }
  const known = `${route.account} ${customer?.name ?? ''}`;
  if (banner.dataset.shows === known && banner.hasChildNodes()) return; // what has the focus there keeps it
  banner.dataset.shows = known;
  banner.replaceChildren(
    h('a', { class: 'icon-button banner-back', href: '#/customers', 'aria-label': 'All customers', title: 'All customers' }, icon('previous')),
    h('div', { class: 'banner-whose' },
      h('p', { class: 'banner-name', title: customer?.name }, spoken('Customer '), customer ? name(customer.name) : h('span', { class: 'bone' })),
      h('p', { class: 'banner-id' }, spoken('Account ID '), h('code', null, route.account), copyButton(route.account, 'Copy the account ID'))),
    h('button', { type: 'button', class: 'button banner-find', 'aria-label': 'Find a record by its ID', title: 'Find a record by its ID', click: () => openJump({ account: route.account, products: customer?.products ?? products }) }, icon('search'), h('span', null, 'Find a record')),
    h('p', { class: 'pill banner-mode' }, 'View only'));
}
