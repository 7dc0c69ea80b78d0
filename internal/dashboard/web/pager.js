// Turns the pages of rows that are all there, so that the document does not grow with them.

import { h, icon } from './dom.js';
import { count } from './format.js';

// turned() is called once another page is to be shown; the rows of it are those from the first on.
export function pager({ aPage, label, turned }) {
  let first = 0;
  let total = 0;
  const said = h('p', { class: 'pager-said', tabindex: '-1' });
  const step = (text, picture, by) => h('button', { type: 'button', class: 'icon-button', 'aria-label': text, title: text, click: () => turn(by) }, icon(picture));
  const back = step('Previous page', 'before', -aPage);
  const on = step('Next page', 'next', aPage);
  const element = h('div', { class: 'pager', role: 'group', 'aria-label': label, hidden: true }, back, said, on);

  function turn(by) {
    const pressed = document.activeElement;
    first += by;
    draw();
    turned();
    if (pressed.hidden) said.focus();
  }

  function draw() {
    element.hidden = total <= aPage;
    back.hidden = first === 0;
    on.hidden = first + aPage >= total;
    said.textContent = `${count(first + 1)}–${count(Math.min(first + aPage, total))} of ${count(total)}`;
  }

  return {
    element,
    // Of so many rows, those from the first on.
    set(rows, from = 0) {
      total = rows;
      first = from < rows ? from : 0;
      draw();
    },
    first: () => first,
    of: (rows) => rows.slice(first, first + aPage),
  };
}
