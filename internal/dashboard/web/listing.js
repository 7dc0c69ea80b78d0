// A table that is read page by page: skeleton, rows, "load more", an empty place
// or a problem with a retry.
//
// Only the newest question counts: asking again stops the request under way, and
// an answer that comes nevertheless is dropped by its number. That a page has
// few rows, or none, says nothing: only its nextCursor tells whether there is more.

import { h, icon, isBusy, setBusy, spoken } from './dom.js';
import { counted } from './format.js';
import { announce, failure } from './notice.js';

const slow = 4000; // milliseconds until the page says that it still waits
const emptyReads = 8; // pages without a row that are read on before asking the person

// columns() gives [{label, cell(item), className, spoken, header}], one cell with a link that opens the
// row; read(query, cursor, signal) one page; empty(query) the element for no rows; one and many a noun;
// reached(cursor) a sentence on how far was read, or ''; failed(problem, retry) the element for a
// problem; bones how many rows to expect; quiet that nothing is announced.
export function listing({ label, columns, read, empty, one, many, reached = () => '', failed = failure, rowId = () => null, bones = 10, quiet = false }) {
  let turn = 0;
  let stop = null;
  let query = null;
  let items = [];
  let cursor = null;

  const head = h('thead', { role: 'rowgroup' });
  const body = h('tbody', { role: 'rowgroup' });
  const table = h('table', { class: 'table', role: 'table', 'aria-label': label }, head, body);
  const counts = h('p', { class: 'count', tabindex: '-1' });
  const waiting = h('p', { class: 'waiting', hidden: true });
  const more = h('button', { type: 'button', class: 'button load-more', click: () => { if (!isBusy(more)) load(true); } });
  const foot = h('div', { class: 'listing-foot' }, counts, more);
  const place = h('div', { class: 'listing-place' });
  const element = h('div', { class: 'listing', tabindex: '-1', click: openRow }, h('div', { class: 'table-frame' }, table), waiting, place, foot);

  // A click anywhere in a row opens it, as its link does, unless it ends a selection of text.
  function openRow(event) {
    const link = event.target.closest('tr[data-row]')?.querySelector('a');
    if (link && !event.target.closest('a, button') && !String(getSelection())) link.dispatchEvent(new MouseEvent('click', event));
  }

  function drawHead() {
    head.replaceChildren(h('tr', { role: 'row' }, columns().map((c) =>
      h('th', { role: 'columnheader', scope: 'col', class: c.className, 'aria-sort': c.sort }, c.spoken ? spoken(c.label) : c.label))));
  }

  function drawRow(item) {
    return h('tr', { role: 'row', 'data-row': rowId(item) }, columns().map((c) =>
      h(c.header ? 'th' : 'td', { role: c.header ? 'rowheader' : 'cell', scope: c.header && 'row', class: c.className, 'data-label': c.label }, c.cell(item))));
  }

  function drawBones() {
    body.replaceChildren(...Array.from({ length: bones }, () => h('tr', { role: 'row', class: 'bones' }, columns().map((c) =>
      h('td', { role: 'cell', class: c.className }, h('span', { class: 'bone' }))))));
  }

  // One of: first (nothing to show yet), again (the old rows stay, faint), more, done.
  function show(state) {
    element.setAttribute('aria-busy', String(state !== 'done'));
    element.classList.toggle('stale', state === 'again');
    setBusy(more, state === 'more');
    more.replaceChildren(state === 'more' ? icon('spinner', 'turning') : '', state === 'more' ? 'Loading…' : items.length ? 'Load more' : 'Search further');
    if (state !== 'done') return;
    waiting.hidden = true;
    table.hidden = items.length === 0;
    more.hidden = cursor === null;
    foot.hidden = items.length === 0 && cursor === null;
    const found = items.length === 0 ? 'Nothing found so far. There is more to search.'
      : `${counted(items.length, one, many)} shown.${cursor === null ? ' That is all.' : ''}`;
    counts.textContent = [found, cursor !== null && reached(cursor)].filter(Boolean).join(' ');
  }

  function ask(next) {
    query = next;
    return load(false);
  }

  async function load(further) {
    turn += 1;
    const mine = turn;
    stop?.abort();
    stop = new AbortController();
    const state = further ? 'more' : items.length > 0 && !table.hidden ? 'again' : 'first';
    if (place.contains(document.activeElement)) element.focus({ preventScroll: true }); // what was pressed goes
    place.replaceChildren();
    if (state === 'first') {
      table.hidden = false;
      foot.hidden = true;
      drawHead();
      drawBones();
    }
    show(state);
    const late = setTimeout(() => wait('Still waiting for the service…'), slow);
    try {
      const page = await readOn(further ? cursor : null, stop.signal, () => mine === turn);
      if (mine === turn) take(page, further);
    } catch (problem) {
      if (mine === turn) fail(problem, further);
    } finally {
      clearTimeout(late);
    }
  }

  function wait(text, aloud = true) {
    waiting.textContent = text;
    waiting.hidden = false;
    if (!quiet && aloud) announce(text);
  }

  // The next page that has rows, but not for ever.
  async function readOn(after, signal, wanted) {
    for (let reads = 1; ; reads += 1) {
      const page = await read(query, after, signal);
      if (page.data.length > 0 || page.nextCursor === null || reads === emptyReads || !wanted()) return page;
      after = page.nextCursor;
      wait(`Searching further… ${reached(after)}`.trim(), reads === 1);
    }
  }

  function take(page, further) {
    const hadFocus = document.activeElement === more;
    cursor = page.nextCursor;
    items = further ? [...items, ...page.data] : page.data;
    if (further) {
      body.append(...page.data.map(drawRow));
    } else {
      redraw();
    }
    show('done');
    if (items.length === 0 && cursor === null) place.replaceChildren(empty(query));
    if (hadFocus && more.hidden) counts.focus();
    if (!quiet) announce(items.length === 0 && cursor === null ? `No ${many} found.` : `${counts.textContent}${cursor === null ? '' : ' More can be loaded.'}`);
  }

  function fail(problem, further) {
    if (problem.status === 401) return;
    if (!further) {
      items = [];
      cursor = null;
    }
    const hadFocus = document.activeElement === more;
    show('done');
    more.hidden = true;
    place.replaceChildren(failed(problem, () => load(further)));
    if (hadFocus) (place.querySelector('button') ?? counts).focus();
  }

  function redraw() {
    drawHead();
    body.replaceChildren(...items.map(drawRow));
  }

  return {
    element,
    ask,
    redraw,
    find: (id) => items.find((item) => rowId(item) === id),
    row: (id) => [...body.children].find((tr) => tr.dataset.row === id),
    remember: () => ({ query, items, cursor }),
    // Shows what remember() gave, if it answers the same question; false: it does not.
    recall(kept, wanted) {
      if (!kept || kept.items.length === 0 || JSON.stringify(kept.query) !== JSON.stringify(wanted)) return false;
      turn += 1;
      stop?.abort();
      ({ query, items, cursor } = kept);
      place.replaceChildren();
      redraw();
      show('done');
      return true;
    },
    stop() {
      turn += 1;
      stop?.abort();
    },
  };
}
