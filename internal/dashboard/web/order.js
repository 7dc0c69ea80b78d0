// The orders of the list of customers. They are exact: amounts are compared as the decimals they are,
// and never with those of another currency.

import { compareDecimals } from './decimal.js';

// What the list can be put in order by; the address has "-" before what is the other way round. The
// API's own order, by name, is ''.
const keys = ['name', 'id', 'currency', 'spend', 'credit'];

export const orders = ['', '-name', ...keys.slice(1).flatMap((key) => [key, `-${key}`])];

// {key, sort} of an order, sort as ARIA has it.
export function orderParts(order) {
  const descending = order.startsWith('-');
  return { key: order.replace('-', '') || 'name', sort: descending ? 'descending' : 'ascending' };
}

// The order that pressing a column's head leads to. Of amounts the first press shows what matters
// first: what was spent most, and the least credit.
export function nextOrder(order, key) {
  const now = orderParts(order);
  const first = key === 'spend' ? 'descending' : 'ascending';
  const sort = now.key !== key ? first : now.sort === 'ascending' ? 'descending' : 'ascending';
  const written = key === 'name' ? '' : key;
  return sort === 'ascending' ? written : `-${key}`;
}

const amounts = {
  spend: (c) => c.spend && { amount: c.spend.amount, currency: c.spend.currency },
  credit: ({ remainingCredit: { amount, currency } }) => (amount === null ? null : { amount, currency }),
};

// The customers, which come by name, in another order; of equals the name decides. Amounts stand
// together by currency, in the order of its code, and those that are not known at the end.
export function inOrder(customers, order) {
  const { key, sort } = orderParts(order);
  const way = sort === 'ascending' ? 1 : -1;
  const compare = {
    name: null,
    id: (a, b) => way * compareText(a.accountId, b.accountId),
    currency: (a, b) => way * compareText(a.currency, b.currency),
    spend: byAmount,
    credit: byAmount,
  }[key];
  if (compare) return [...customers].sort(compare);
  return way > 0 ? customers : [...customers].reverse();

  function byAmount(one, other) {
    const [a, b] = [amounts[key](one), amounts[key](other)];
    if (!a || !b) return Number(!a) - Number(!b);
    return compareText(a.currency, b.currency) || way * compareDecimals(a.amount, b.amount);
  }
}

function compareText(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}
