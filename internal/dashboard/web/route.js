// The address bar's fragment says which view is shown: "#/overview", "#/customers",
// "#/customers/acme_retail", "#/customers/acme_retail/sms?direction=outbound".
// A reload therefore never asks the server for anything but the page.
//
// A fragment gets into histories, bookmarks and chats. So it never holds a
// credential, nor digits of a telephone number: the last-four filters have no
// place in a route, and a search for what looks like a number or an access key
// is left out. What is malformed is passed over, never sent on.

import { products } from './vocabulary.js';
import { orders } from './order.js';
import { brief, presets } from './period.js';

export const noFilters = { period: '', from: '', to: '', direction: '', status: [], channel: [], country: [], order: 'desc' };

const accountForm = /^[A-Za-z0-9\-._&]{3,50}$/;
const forms = {
  record: /^[A-Za-z0-9._:-]{1,128}$/,
  status: /^[a-z_]{1,32}$/,
  channel: /^[a-z][a-z0-9_]{0,31}$/,
  country: /^[A-Z]{2}$/,
  currency: /^[A-Z]{3}$/,
  day: /^\d{4}-\d{2}-\d{2}$/,
  time: /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?Z$/,
};

// A route is {view: 'overview', by, show, currency} of all customers, with {from, to, product} where
// the customers of these days are listed; {view: 'customers', search, product, credit,
// order}; {view: 'overview', account, by, show, currency}; {view: 'log', account, product, filters, utc,
// record}, or {view: 'lost'}.
export function parseRoute(fragment) {
  const [path, query = ''] = fragment.replace(/^#/, '').split(/\?(.*)/s);
  const asked = new URLSearchParams(query);
  let parts;
  try {
    parts = path.split('/').filter(Boolean).map(decodeURIComponent);
  } catch {
    return { view: 'lost' };
  }
  if (parts.length === 0 || (parts.length === 1 && parts[0] === 'overview')) return { view: 'overview', ...parseChart(asked), ...parseDays(asked) };
  if (parts[0] !== 'customers' || parts.length > 3) return { view: 'lost' };
  if (parts.length === 1) {
    return { view: 'customers', search: asked.get('search') ?? '', product: oneOf(asked.get('product'), products), credit: oneOf(asked.get('credit'), ['low', 'exhausted']), order: oneOf(asked.get('order'), orders) };
  }
  const [, account, product] = parts;
  if (!accountForm.test(account)) return { view: 'lost' };
  if (parts.length === 2) return { view: 'overview', account, ...parseChart(asked) };
  if (!products.includes(product)) return { view: 'lost' };
  return { view: 'log', account, product, filters: parseFilters(asked, product), utc: asked.get('time') === 'utc', record: formed(asked.get('record'), forms.record) };
}

// What an overview's chart shows: '' is days, spend, and the currency that most is charged in.
function parseChart(asked) {
  return { by: oneOf(asked.get('by'), ['week', 'month']), show: oneOf(asked.get('show'), ['volume']), currency: formed(asked.get('currency'), forms.currency) };
}

function parseDays(asked) {
  const [from, to] = ['from', 'to'].map((key) => formed(asked.get(key), forms.day)).map((day) => (Number.isNaN(Date.parse(day)) ? '' : day));
  return from < to && from ? { from, to, product: oneOf(asked.get('product'), products) } : { from: '', to: '', product: '' };
}

function parseFilters(asked, product) {
  const all = (key) => [...new Set(asked.getAll(key))].filter((value) => forms[key].test(value));
  const [from, to] = [moment(asked.get('from')), moment(asked.get('to'))];
  return {
    period: from || to ? 'custom' : oneOf(asked.get('period'), presets.map((preset) => preset.value)),
    from,
    to,
    direction: oneOf(asked.get('direction'), ['inbound', 'outbound']),
    status: all('status'),
    channel: product === 'messaging' ? all('channel') : [],
    country: all('country'),
    order: asked.get('order') === 'asc' ? 'asc' : 'desc',
  };
}

function oneOf(value, allowed) {
  return allowed.includes(value) ? value : '';
}

function formed(value, form) {
  return value !== null && form.test(value) ? value : '';
}

function moment(value) {
  return formed(value, forms.time) && !Number.isNaN(Date.parse(value)) ? brief(new Date(value)) : '';
}

export function formatRoute(route) {
  const query = new URLSearchParams();
  const put = (key, value) => value && query.append(key, value);
  let path = '#/customers';
  if (route.view === 'overview') {
    if (route.account === undefined) path = '#/overview';
    else path += `/${encodeURIComponent(route.account)}`;
    for (const key of ['by', 'show', 'currency', 'from', 'to', 'product']) put(key, route[key]);
  } else if (route.view === 'customers') {
    if (!isSecret(route.search) && !looksLikeNumber(route.search)) put('search', route.search);
    for (const key of ['product', 'credit', 'order']) put(key, route[key]);
  } else {
    path += `/${encodeURIComponent(route.account)}`;
  }
  if (route.view === 'log') {
    path += `/${route.product}`;
    const filters = route.filters ?? noFilters;
    if (filters.period === 'custom') {
      put('from', filters.from);
      put('to', filters.to);
    } else {
      put('period', filters.period);
    }
    put('direction', filters.direction);
    for (const key of ['status', 'channel', 'country']) for (const value of filters[key]) put(key, value);
    if (filters.order === 'asc') put('order', 'asc');
    if (route.utc) put('time', 'utc');
    put('record', route.record);
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

// Whether a search holds what could be an access key, pasted into the wrong field.
export function isSecret(text) {
  return /pvk_/i.test(text);
}

// Whether it could be a telephone number.
export function looksLikeNumber(text) {
  return text.replace(/[^0-9]/g, '').length >= 8 && !/[A-Za-z]/.test(text);
}

export function isRecordId(text) {
  return forms.record.test(text);
}
