// A table of the page: its head, with buttons where it can be ordered, its rows, and
// bones while there are none.

import { h, icon, spoken } from './dom.js';

const firstRows = 50; // more than a window shows
const furtherRows = 75; // that are drawn before the page may do something else

// columns() gives [{label, cell(item), className, spoken, header, sort, press}], one cell with a link that
// opens the row. sort is the ARIA order of a column that the rows are in ('none': of one that they could
// be in), press() what its head does then. group(item), if given, is {key, text}: before the first row of each key
// stands a heading that says the text.
export function tableOf({ label, columns, rowId, group, bones }) {
  let last = null; // the key of the last heading
  let timer = 0; // of the rows that are not drawn yet
  const head = h('thead', { role: 'rowgroup' });
  const body = h('tbody', { role: 'rowgroup' });
  const element = h('table', { class: 'table', role: 'table', 'aria-label': label }, head, body);
  const frame = h('div', { class: 'table-frame', click: openRow }, element);

  // A click anywhere in a row opens it, as its link does, unless it ends a selection of text.
  function openRow(event) {
    const link = event.target.closest('tr[data-row]')?.querySelector('a');
    if (link && !event.target.closest('a, button') && !String(getSelection())) link.dispatchEvent(new MouseEvent('click', event));
  }

  function drawHead() {
    const pressed = head.contains(document.activeElement) && document.activeElement.textContent;
    head.replaceChildren(h('tr', { role: 'row' }, columns().map((c) =>
      h('th', { role: 'columnheader', scope: 'col', class: c.className, 'aria-sort': c.sort }, headOf(c)))));
    if (pressed) [...head.querySelectorAll('button')].find((button) => button.textContent === pressed)?.focus();
  }

  function headOf(c) {
    if (c.press) return h('button', { type: 'button', class: 'order', click: c.press }, c.label, icon(c.sort === 'none' ? 'unordered' : c.sort));
    return c.spoken ? spoken(c.label) : c.label;
  }

  function rowOf(item, cells) {
    return h('tr', { role: 'row', 'data-row': rowId(item) }, cells.map((c) =>
      h(c.header ? 'th' : 'td', { role: c.header ? 'rowheader' : 'cell', scope: c.header && 'row', class: c.className, 'data-label': c.label }, c.cell(item))));
  }

  function rowsOf(items) {
    const cells = columns();
    return items.flatMap((item) => {
      const heading = group?.(item);
      if (!heading || heading.key === last) return [rowOf(item, cells)];
      last = heading.key;
      return [h('tr', { role: 'row', class: 'group' }, h('th', { role: 'rowheader', scope: 'rowgroup', colspan: cells.length }, heading.text)), rowOf(item, cells)];
    });
  }

  function drawOn(items) {
    element.setAttribute('aria-busy', String(items.length > 0));
    if (items.length === 0) return;
    timer = setTimeout(() => {
      body.append(...rowsOf(items.slice(0, furtherRows)));
      drawOn(items.slice(furtherRows));
    });
  }

  function stop() {
    clearTimeout(timer);
    element.setAttribute('aria-busy', 'false');
  }

  return {
    element: frame,
    hide: (yes) => { element.hidden = yes; },
    isHidden: () => element.hidden,
    drawBones() {
      stop();
      drawHead();
      body.replaceChildren(...Array.from({ length: bones }, () => h('tr', { role: 'row', class: 'bones' }, columns().map((c) =>
        h('td', { role: 'cell', class: c.className }, h('span', { class: 'bone' }))))));
    },
    // Draws the rows in place of those before: all of them or, in parts, those that can be seen first and the
    // others soon after.
    draw(items, { inParts = false } = {}) {
      const first = inParts ? firstRows : items.length;
      stop();
      last = null;
      drawHead();
      body.replaceChildren(...rowsOf(items.slice(0, first)));
      drawOn(items.slice(first));
    },
    row: (id) => [...body.children].find((tr) => tr.dataset.row === id),
  };
}
