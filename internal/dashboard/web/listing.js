// A table that is read page by page: skeleton, rows, "load more", an empty place
// or a problem with a retry.
//
// Only the newest question counts: asking again stops the request under way, and
// an answer that comes nevertheless is dropped by its number. That a page has
// few rows, or none, says nothing: only its nextCursor tells whether there is more.

import { h, icon, isBusy, setBusy } from './dom.js';
import { counted } from './format.js';
import { announce, failure } from './notice.js';
import { tableOf } from './table.js';

const slow = 4000; // milliseconds until the page says that it still waits
const emptyReads = 8; // pages without a row that are read on before asking the person

// columns, rowId, group and bones are those of a table; read(query, cursor, signal) gives one page;
// empty(query) the element for no rows; one and many a noun; reached(cursor) a sentence on how far was read,
// or ''; failed(problem, retry) the element for a problem; quiet that nothing is announced.
export function listing({ label, columns, read, empty, one, many, reached = () => '', failed = failure, rowId = () => null, group, bones = 10, quiet = false }) {
  let turn = 0;
  let stop = null;
  let query = null;
  let items = [];
  let cursor = null;

  const table = tableOf({ label, columns, rowId, group, bones });
  const counts = h('p', { class: 'count', tabindex: '-1' });
  const waiting = h('p', { class: 'waiting', hidden: true });
  const more = h('button', { type: 'button', class: 'button load-more', click: () => { if (!isBusy(more)) load(true); } });
  const foot = h('div', { class: 'listing-foot' }, counts, more);
  const place = h('div', { class: 'listing-place' });
  const element = h('div', { class: 'listing', tabindex: '-1' }, table.element, waiting, place, foot);

  // One of: first (nothing to show yet), again (the old rows stay, faint), more, done.
  function show(state) {
    element.setAttribute('aria-busy', String(state !== 'done'));
    element.classList.toggle('stale', state === 'again');
    setBusy(more, state === 'more');
    more.replaceChildren(state === 'more' ? icon('spinner', 'turning') : '', state === 'more' ? 'Loading…' : items.length ? 'Load more' : 'Search further');
    if (state !== 'done') return;
    waiting.hidden = true;
    table.hide(items.length === 0);
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
    const state = further ? 'more' : items.length > 0 && !table.isHidden() ? 'again' : 'first';
    if (place.contains(document.activeElement)) element.focus({ preventScroll: true }); // what was pressed goes
    place.replaceChildren();
    if (state === 'first') {
      table.hide(false);
      foot.hidden = true;
      table.drawBones();
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
    if (further) table.append(page.data);
    else redraw();
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
    table.draw(items);
  }

  return {
    element,
    ask,
    redraw,
    find: (id) => items.find((item) => rowId(item) === id),
    row: table.row,
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
