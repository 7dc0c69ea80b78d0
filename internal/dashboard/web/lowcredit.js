// Whose credit is low or exhausted: how many, and the first of them.

import { address, get } from './api.js';
import { amount, creditTags } from './credit.js';
import { h, icon, name } from './dom.js';
import { count, creditState } from './format.js';
import { figureCard } from './figures.js';
import { formatRoute } from './route.js';
import { takesTooMuch } from './summary.js';

const firstOf = '6';

// {exhausted, low: {total, customers} of each, or null where there are more customers than are looked through; customers of both}.
export async function readLow(signal) {
  const ask = async (credit) => {
    const page = await get(address(['customers'], { credit, count: 'true', limit: firstOf }), { signal });
    return { total: page.total, customers: page.data };
  };
  try {
    const [exhausted, low] = await Promise.all([ask('exhausted'), ask('low')]);
    return { exhausted, low, customers: [...exhausted.customers, ...low.customers] };
  } catch (problem) {
    if (!takesTooMuch(problem)) throw problem;
    return { exhausted: null, low: null, customers: [] };
  }
}

const listed = (credit) => formatRoute({ view: 'customers', search: '', product: '', credit, order: '' });

export function lowCard({ exhausted, low }) {
  if (!low) return figureCard('Low credit', h('p', { class: 'figure-value quiet' }, 'Not counted'), h('p', { class: 'figure-note' }, 'You have more than 2,000 customers.'));
  return figureCard('Low credit',
    h('p', { class: 'figure-value' }, count(low.total + exhausted.total), ' ', h('small', null, low.total + exhausted.total === 1 ? 'customer' : 'customers')),
    h('ul', { class: 'figure-parts' },
      h('li', null, h('a', { href: listed('low') }, icon('warning'), `${count(low.total)} low`)),
      h('li', null, h('a', { href: listed('exhausted') }, icon('cross'), `${count(exhausted.total)} exhausted`))),
    h('p', { class: 'figure-note' }, 'Low: would not last for 7 days at the present pace.'));
}

export function lowPanel({ exhausted, low, customers }) {
  const total = low ? low.total + exhausted.total : 0;
  return h('section', { class: 'board', 'aria-label': 'Credit that runs out' },
    h('header', { class: 'board-head' }, h('h2', null, 'Credit that runs out'), low && total > customers.length && h('a', { class: 'small', href: listed('low') }, `All ${count(low.total)} low`)),
    customers.length === 0
      ? h('p', { class: 'empty-line' }, low ? 'No customer’s credit is low.' : 'You have more customers than are looked through for low credit.')
      : h('ul', { class: 'ranking' }, customers.slice(0, Number(firstOf)).map((c) => h('li', null,
        h('a', { class: 'row-link', href: formatRoute({ view: 'overview', account: c.accountId }) }, name(c.name)),
        h('span', { class: 'ranking-figure' }, creditTags(creditState(c.remainingCredit, Date.now(), true)), h('strong', null, amount(c.remainingCredit.amount, c.remainingCredit.currency)))))));
}
