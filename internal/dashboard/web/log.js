// A product's log: filters, records newest or oldest first, and one record's detail.

import { address, asCurl, get } from './api.js';
import { detailDialog } from './detail.js';
import { h } from './dom.js';
import { downloadButton } from './download.js';
import { activeFilters, filterBar } from './filters.js';
import { fullTime } from './format.js';
import { listing } from './listing.js';
import { menuOf } from './menu.js';
import { copied, emptyPlace, failure } from './notice.js';
import { resolvePeriod } from './period.js';
import { dayOf, logColumns } from './records.js';
import { formatRoute, noFilters } from './route.js';
import { rowsAPage } from './turner.js';
import { productWord } from './vocabulary.js';
import { showUTC } from './zone.js';

const linesAPage = '500'; // of a download: the most that there can be

// about() is called once the log answers: its customer can then be asked for, should that have failed.
export function logView({ go, back, account, product, customer, about }) {
  const words = productWord(product);
  let route = null;
  let asked = '';
  let stop = null;
  let shown = null; // the request whose first page is shown

  const list = listing({
    label: `${words.label} log`,
    one: words.one,
    many: words.many,
    rowId: (record) => record.id,
    columns: () => logColumns(product, {
      utc: route.utc,
      open: (record) => formatRoute({ ...route, record: record.id }),
      sort: route.filters.order === 'asc' ? 'ascending' : 'descending',
      press: () => go({ ...route, filters: { ...route.filters, order: route.filters.order === 'asc' ? 'desc' : 'asc' }, record: '' }),
    }),
    group: (record) => dayOf(record, route.utc),
    async read(query, cursor, signal) {
      const page = await get(address(path(), { ...query, limit: rowsAPage(), cursor }), { signal });
      isThere(true);
      about();
      return page;
    },
    reached: (cursor) => (activeFilters(route.filters) ? readTo(cursor) : ''),
    empty: () => (activeFilters(route.filters)
      ? emptyPlace(`No ${words.one} matches`, 'No record in this log matches all of the filters.', [{ text: 'Clear filters', click: clear }])
      : emptyPlace(`No ${words.many} yet`, `This customer’s ${words.label} log is empty. New records appear here.`)),
    failed: (problem, retry) => {
      const all = { text: 'All customers', href: '#/customers' };
      if (problem.code === 'invalid_parameter') return failure(problem, retry, [{ text: 'Clear filters', click: clear }]);
      if (problem.status !== 404) return failure(problem, retry);
      isThere(false);
      const overview = { text: 'The customer’s overview', href: formatRoute({ view: 'overview', account }) };
      return failure(problem, retry, problem.code === 'product_not_found' ? [overview, all] : [all]);
    },
  });

  const bar = filterBar({
    product,
    change: (filters, replace) => go({ ...route, filters, record: '' }, { replace }),
    seen: (field) => list.items().map((record) => record[field]).filter(Boolean),
  });

  const dialog = detailDialog({
    url: () => address([...path(), route.record]),
    closed: () => back({ ...route, record: '' }),
    async step(by) {
      const from = route.record;
      const record = await list.beside(from, by);
      if (record && route.record === from) go({ ...route, record: record.id }, { replace: true });
    },
  });

  function readTo(cursor) {
    const time = timeOfCursor(cursor);
    return time && `Read ${route.filters.order === 'asc' ? 'up' : 'back'} to ${fullTime(time, route.utc)}.`;
  }

  function path() {
    return ['customers', account, 'usage', product];
  }

  function clear() {
    go({ ...route, filters: { ...noFilters, order: route.filters.order }, record: '' });
  }

  function query() {
    const { filters, utc } = route;
    const { from, to } = resolvePeriod(filters, new Date(), utc);
    return {
      from, to, direction: filters.direction, status: filters.status, channel: filters.channel, country: filters.country,
      fromLast4: filters.fromLast4 ?? '', toLast4: filters.toLast4 ?? '', order: filters.order,
    };
  }

  const zone = (utc, text) => {
    const input = h('input', { type: 'radio', name: 'zone', value: utc ? 'utc' : 'local', class: 'spoken', change: () => { showUTC(utc); go({ ...route, utc }, { replace: true }); } });
    return { input, element: h('label', { class: 'segment' }, input, h('span', null, text)) };
  };
  const local = zone(false, 'Local time');
  const universal = zone(true, 'UTC');

  const heading = h('h1', { tabindex: '-1' }, words.label);
  const tools = h('div', { class: 'view-tools' },
    h('fieldset', { class: 'segments' }, h('legend', { class: 'spoken' }, 'Times are shown in'), local.element, universal.element),
    downloadButton(() => ({ url: address(path(), { ...shown, limit: linesAPage }), file: `usage-${account.replaceAll('&', '_')}-${product}.csv`, one: words.one, many: words.many, reached: readTo })),
    menuOf('More', [
      { text: 'Copy as curl', picture: 'copy', click: () => copied(asCurl(address(path(), { ...shown, limit: rowsAPage() }))) },
      { text: 'Copy a link to this view', picture: 'link', click: () => copied(location.href) },
    ]));
  const element = h('div', { class: 'view' },
    h('header', { class: 'view-head view-head-row' }, h('div', null, h('p', { class: 'eyebrow' }, 'Usage'), heading), tools),
    bar.element, list.element, dialog.element);

  // Where there is no log, there is nothing to narrow.
  function isThere(yes) {
    tools.hidden = !yes;
    bar.element.hidden = !yes;
  }

  async function openRecord(id) {
    const loaded = list.find(id);
    if (loaded) {
      dialog.show(loaded, route.utc, list.place(id));
      return;
    }
    stop?.abort();
    stop = new AbortController();
    const { signal } = stop;
    dialog.waitFor(product);
    try {
      const record = await get(address([...path(), id]), { signal });
      if (!signal.aborted) dialog.show(record, route.utc, list.place(id));
    } catch (problem) {
      if (!signal.aborted && problem.status !== 401) dialog.fail(problem, () => openRecord(id));
    }
  }

  function closeRecord(id) {
    stop?.abort();
    if (dialog.isOpen()) dialog.hide();
    (list.row(id)?.querySelector('a') ?? heading).focus();
  }

  return {
    element,
    heading,
    title: () => `${words.label} · ${customer()?.name ?? account}`,
    update(next, kept) {
      const before = route;
      route = next;
      bar.set(route.filters, route.utc);
      (route.utc ? universal : local).input.checked = true;
      const question = JSON.stringify([route.filters, route.utc && route.filters.period]);
      if (question !== asked) {
        asked = question;
        shown = query();
        const answered = kept?.list && list.recall(kept.list, kept.list.query);
        if (answered) shown = kept.list.query;
        else list.ask(shown);
      } else if (before && before.utc !== route.utc) {
        list.redraw();
      }
      if (route.record && route.record !== (before?.record ?? '')) openRecord(route.record);
      if (!route.record && before?.record) closeRecord(before.record);
    },
    remember: () => ({ list: list.remember() }),
    leave() {
      list.stop();
      stop?.abort();
      if (dialog.isOpen()) dialog.hide();
    },
  };
}

// Up to which record a page's cursor was read: it holds that record's time and id behind a check sum
// (internal/api, params.go). '' where it does not.
function timeOfCursor(cursor) {
  try {
    return /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z(?=#)/.exec(atob(cursor.replaceAll('-', '+').replaceAll('_', '/')))?.[0] ?? '';
  } catch {
    return '';
  }
}
