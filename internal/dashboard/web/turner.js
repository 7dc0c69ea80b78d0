// Turns the pages of a listing as they are read, and says how many rows each has:
// the person's choice, which holds in this tab until they sign out.

import { freshId, h, icon, isBusy, setBusy } from './dom.js';

const rowsPlace = 'partnerview.rows';
const sizes = ['25', '100', '500'];

export function rowsAPage() {
  const chosen = sessionStorage.getItem(rowsPlace);
  return sizes.includes(chosen) ? chosen : '100';
}

export function forgetRowsAPage() {
  sessionStorage.removeItem(rowsPlace);
}

// turn(step) is called with -1 and 1, resized() once another number of rows is chosen.
export function turner({ turn, resized }) {
  const button = (step, className, ...children) => h('button', { type: 'button', class: `button ${className}`, click: (event) => { if (!isBusy(event.currentTarget)) turn(step); } }, ...children);
  const previous = button(-1, 'previous-page', icon('before'), h('span', null, 'Previous'));
  const said = h('span', null);
  const next = button(1, 'next-page', said, icon('next'));
  const id = freshId('rows');
  const rows = h('select', { id, class: 'control', change: () => { sessionStorage.setItem(rowsPlace, rows.value); resized(); } }, sizes.map((size) => h('option', { value: size }, size)));
  const element = h('div', { class: 'turner' },
    h('div', { class: 'page-size' }, h('label', { for: id }, 'Rows'), h('div', { class: 'select' }, rows, icon('down'))), previous, next);

  return {
    element,
    // Whether there is a page before and one after; loading, that the one after is under way; empty, that
    // there is no row so far.
    show({ before, after, loading, empty }) {
      rows.value = rowsAPage();
      previous.hidden = next.hidden = !before && !after;
      setBusy(previous, !before || loading);
      setBusy(next, !after || loading);
      said.textContent = loading ? 'Loading…' : empty ? 'Search further' : 'Next';
    },
  };
}
