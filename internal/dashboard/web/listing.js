// A table that is read and shown page by page, so that the document does not grow: skeleton, rows,
// pages to turn, an empty place or a problem with a retry.
//
// Only the newest question counts: asking again stops the request under way, and
// an answer that comes nevertheless is dropped by its number. That a page has
// few rows, or none, says nothing: only its nextCursor tells whether there is more.

import { h } from './dom.js';
import { count, counted } from './format.js';
import { announce, failure } from './notice.js';
import { tableOf } from './table.js';
import { turner } from './turner.js';

const slow = 4000; // milliseconds until the page says that it still waits
const emptyReads = 8; // pages without a row that are read on before asking the person

// columns, rowId and group are those of a table; read(query, cursor, signal) gives one page;
// empty(query) the element for no rows; one and many a noun; reached(cursor) a sentence on how far was read,
// or ''; failed(problem, retry) the element for a problem.
export function listing({ label, columns, read, empty, one, many, reached = () => '', failed = failure, rowId, group }) {
  let turn = 0;
  let stop = null;
  let query = null;
  let pages = []; // [{data, nextCursor}], as they were read
  let at = 0; // which of them is shown

  const table = tableOf({ label, columns, rowId, group, bones: 10 });
  const counts = h('p', { class: 'count', tabindex: '-1' });
  const waiting = h('p', { class: 'waiting', hidden: true });
  const turning = turner({ turn: turnTo, resized: () => load(false) });
  const foot = h('div', { class: 'listing-foot' }, counts, turning.element);
  const place = h('div', { class: 'listing-place' });
  const element = h('div', { class: 'listing', tabindex: '-1' }, table.element, waiting, place, foot);

  const items = () => pages.flatMap((page) => page.data);
  const shown = () => pages[at]?.data ?? [];
  const cursor = () => pages.at(-1)?.nextCursor ?? null;
  const isLast = () => cursor() === null && at >= pages.length - 1;

  // One of: first (nothing to show yet), again (the old rows stay, faint), more, done.
  function show(state) {
    const rows = shown();
    element.setAttribute('aria-busy', String(state !== 'done'));
    element.classList.toggle('stale', state === 'again');
    turning.show({ before: at > 0, after: !isLast(), loading: state === 'more', empty: rows.length === 0 });
    if (state !== 'done') return;
    waiting.hidden = true;
    table.hide(rows.length === 0);
    foot.hidden = rows.length === 0 && isLast();
    counts.textContent = [found(rows), !isLast() && reached(cursor())].filter(Boolean).join(' ');
  }

  function found(rows) {
    if (rows.length === 0) return 'Nothing found so far. There is more to search.';
    const all = isLast() ? ' That is all.' : '';
    if (at === 0) return `${counted(rows.length, one, many)} shown.${all}`;
    const before = pages.slice(0, at).reduce((sum, page) => sum + page.data.length, 0);
    const capital = many.charAt(0).toUpperCase() + many.slice(1);
    return `${capital} ${count(before + 1)} to ${count(before + rows.length)}.${all}`;
  }

  // Shows the next page, which is read if it was not yet, or the one before.
  async function turnTo(step) {
    if (step > 0 && at === pages.length - 1) return load(true);
    at += step;
    turned();
    return undefined;
  }

  function turned() {
    table.draw(shown(), { inParts: true });
    show('done');
    element.scrollIntoView({ block: 'start' });
    announce(counts.textContent);
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
    const state = further ? 'more' : shown().length > 0 && !table.isHidden() ? 'again' : 'first';
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
      const page = await readOn(further ? cursor() : null, stop.signal, () => mine === turn);
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
    if (aloud) announce(text);
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
    if (!further) [pages, at] = [[], 0];
    const last = pages.pop();
    if (last?.data.length > 0 && page.data.length > 0) pages.push(last, page);
    else pages.push(last?.data.length > 0 ? { data: last.data, nextCursor: page.nextCursor } : page); // no page is without rows, but for the only one
    if (at < pages.length - 1) {
      at = pages.length - 1;
      turned();
      return;
    }
    const hadFocus = foot.contains(document.activeElement);
    table.draw(shown(), { inParts: true });
    show('done');
    const none = items().length === 0 && isLast();
    if (none) place.replaceChildren(empty(query));
    if (hadFocus && !document.activeElement.checkVisibility()) (foot.hidden ? element : counts).focus({ preventScroll: true });
    announce(none ? `No ${many} found.` : `${counts.textContent}${isLast() ? '' : ' There are more.'}`);
  }

  function fail(problem, further) {
    if (problem.status === 401) return;
    if (!further) [pages, at] = [[], 0];
    const hadFocus = foot.contains(document.activeElement);
    show('done');
    place.replaceChildren(failed(problem, () => load(further)));
    if (hadFocus) (place.querySelector('button') ?? counts).focus();
  }

  // Where the person stays at a place of the list, all of it has to be there.
  function redraw() {
    table.draw(shown());
  }

  return {
    element,
    ask,
    redraw,
    items,
    find: (id) => items().find((item) => rowId(item) === id),
    row: table.row,
    // Where an item is among those that were read, null where it is none of them: whether there are others before
    // and after it, and in words which one it is.
    place(id) {
      const all = items();
      const n = all.findIndex((item) => rowId(item) === id);
      if (n < 0) return null;
      return { before: n > 0, after: n < all.length - 1 || cursor() !== null, said: `${one} ${count(n + 1)}` };
    },
    // The item before (-1) or after (1) another, whose page is turned to, and read if it was not yet; undefined: there
    // is none.
    async beside(id, by) {
      const n = items().findIndex((item) => rowId(item) === id) + by;
      if (n >= items().length) await load(true);
      const wanted = items()[n];
      const page = pages.findIndex((each) => each.data.includes(wanted));
      if (page >= 0 && page !== at) {
        at = page;
        turned();
      }
      return wanted;
    },
    remember: () => ({ query, pages, at }),
    // Shows what remember() gave, if it answers the same question; false: it does not.
    recall(kept, wanted) {
      if (!kept || kept.pages.every((page) => page.data.length === 0) || JSON.stringify(kept.query) !== JSON.stringify(wanted)) return false;
      turn += 1;
      stop?.abort();
      ({ query, pages, at } = kept);
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
