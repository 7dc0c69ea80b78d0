// A record's detail: a dialog beside the log, with why it costs what it costs. Its parts are made anew
// for each record; the dialog stays, and the arrow keys turn it to the records before and after.

import { asCurl } from './api.js';
import { amount, tag } from './credit.js';
import { h, icon, isBusy, setBusy } from './dom.js';
import { fullTime } from './format.js';
import { menuOf } from './menu.js';
import { announce, copied, failure } from './notice.js';
import { facts } from './records.js';
import { productWord } from './vocabulary.js';
import { explain } from './why.js';

// closed() is called when the person closes it, step(-1 or 1) when they want the record before or after;
// url() is the API's address of the one that is shown.
export function detailDialog({ closed, step, url }) {
  const heading = h('h2', { id: 'detail-title', tabindex: '-1' });
  const turn = (label, picture, by) => h('button', { type: 'button', class: 'icon-button', 'aria-label': label, title: label, click: (event) => { if (!isBusy(event.currentTarget)) step(by); } }, icon(picture));
  const previous = turn('Previous record (left arrow key)', 'before', -1);
  const next = turn('Next record (right arrow key)', 'next', 1);
  const content = h('div', { class: 'detail-content' });
  const close = () => dialog.close();
  const dialog = h('dialog', { class: 'detail', 'aria-labelledby': 'detail-title', click: (event) => { if (event.target === dialog) close(); }, keydown },
    h('div', { class: 'detail-frame' },
      h('header', { class: 'detail-head' }, heading, h('div', { class: 'detail-tools' }, previous, next,
        menuOf('More', [{ text: 'Copy as curl', picture: 'copy', click: () => copied(asCurl(url())) }, { text: 'Copy a link to this record', picture: 'link', click: () => copied(location.href) }]),
        h('button', { type: 'button', class: 'icon-button', 'aria-label': 'Close', title: 'Close', click: close }, icon('close')))),
      content),
    h('div', { class: 'live spoken', role: 'status' }));
  let silent = false;
  dialog.addEventListener('close', () => {
    if (!silent) closed();
    silent = false;
  });

  function keydown(event) {
    const button = { ArrowLeft: previous, ArrowRight: next }[event.key];
    if (!button || button.hidden || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    button.click();
  }

  function open(title, ...children) {
    heading.textContent = title;
    content.replaceChildren(...children);
    const held = dialog.querySelector('.detail-tools').contains(document.activeElement);
    if (!dialog.open) dialog.showModal();
    if (!held) heading.focus(); // whatever a browser takes for the first
  }

  return {
    element: dialog,
    isOpen: () => dialog.open,
    waitFor(product) {
      previous.hidden = next.hidden = true;
      open(`${productWord(product).label} ${productWord(product).one}`,
        h('div', { 'aria-busy': 'true', class: 'bones' }, [1, 2, 3, 4, 5, 6].map(() => h('span', { class: 'bone' }))));
    },
    fail(problem, retry) {
      content.replaceChildren(failure(problem, retry));
    },
    // beside tells whether there are records before and after, and where among them this one is.
    show(record, utc, beside) {
      open(`${productWord(record.product).label} ${productWord(record.product).one}`,
        whyThisPrice(record),
        h('section', null, h('h3', null, 'Record'),
          h('dl', { class: 'facts' }, facts(record, utc).map(([term, value]) => h('div', null, h('dt', null, term), h('dd', null, value))))));
      previous.hidden = next.hidden = !beside;
      if (!beside) return;
      setBusy(previous, !beside.before);
      setBusy(next, !beside.after);
      announce(`${fullTime(record.timestamp, utc)}, ${beside.said}`);
    },
    // Closes it without telling: the address has changed already.
    hide() {
      silent = true;
      dialog.close();
    },
  };
}

const outcomes = { rated: 'Rated', free: 'Free', recorded: 'Recorded', unrated: 'Not priced' };

function whyThisPrice(record) {
  const { price } = record;
  const { sum, facts: sentences } = explain(record);
  return h('section', { class: 'why' },
    h('h3', null, 'Why this price'),
    h('p', { class: 'why-amount' },
      price.amount === null ? h('span', { class: 'quiet' }, 'Not priced') : amount(price.amount, price.currency),
      price.amount !== null && tag(Object.hasOwn(outcomes, price.status) ? outcomes[price.status] : price.status)),
    sum && h('p', { class: 'sum' }, sum),
    h('ul', null, sentences.map((sentence) => h('li', null, sentence))));
}
