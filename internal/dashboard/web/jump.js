// Finds a record of a customer by its id, in whichever product's log it is, and opens it there.

import { address, get } from './api.js';
import { h, icon, isBusy, setBusy } from './dom.js';
import { fullTime } from './format.js';
import { announce, failure } from './notice.js';
import { formatRoute, isRecordId, isSecret, looksLikeNumber } from './route.js';
import { productWord } from './vocabulary.js';
import { inUTC } from './zone.js';

const mostDigits = 15; // of a telephone number (E.164)

// Opens the dialog, above whatever is shown. It goes with its close.
export function openJump({ account, products }) {
  const stop = new AbortController();
  const fault = h('p', { class: 'field-fault', id: 'jump-fault', role: 'alert' });
  const result = h('div', { class: 'jump-result' });
  const input = h('input', {
    id: 'jump-id', class: 'control', type: 'text', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', maxlength: '128', 'aria-describedby': 'jump-fault jump-hint',
    input: () => { tell(''); result.replaceChildren(); },
  });
  const button = h('button', { type: 'submit', class: 'button' }, 'Find');
  const labels = products.map((product) => productWord(product).label);
  const close = () => dialog.close();
  const dialog = h('dialog', { class: 'jump', 'aria-labelledby': 'jump-title', click: (event) => { if (event.target === dialog) close(); } },
    h('form', { class: 'jump-form', novalidate: true, submit },
      h('header', { class: 'jump-head' }, h('h2', { id: 'jump-title' }, 'Find a record'),
        h('button', { type: 'button', class: 'icon-button', 'aria-label': 'Close', title: 'Close', click: close }, icon('close'))),
      h('label', { class: 'field-label', for: 'jump-id' }, 'Record ID'),
      h('div', { class: 'jump-field' }, input, button),
      fault,
      h('p', { class: 'hint', id: 'jump-hint' }, `The whole ID, as it is written. It is looked for in ${new Intl.ListFormat('en-GB').format(labels)}.`),
      result),
    h('div', { class: 'live spoken', role: 'status' }));
  dialog.addEventListener('close', () => { stop.abort(); dialog.remove(); });
  document.body.append(dialog);
  dialog.showModal();
  input.focus();

  function tell(text) {
    fault.textContent = text;
    input.setAttribute('aria-invalid', String(text !== ''));
    if (text) input.focus();
  }

  // Why what was typed is not looked for: it would be in the address of a request. '': it is.
  function refuse(id) {
    if (id === '') return 'Enter a record ID.';
    if (isSecret(id)) {
      input.value = '';
      return 'That was an access key. It was not looked for.';
    }
    if (looksLikeNumber(id) && id.replace(/[^0-9]/g, '').length <= mostDigits) return 'This could be a telephone number, which is not looked for. To find records by a number, open a log and filter by its last four digits.';
    return isRecordId(id) ? '' : 'This is not a record ID: they have letters, digits, and . _ : - only.';
  }

  async function submit(event) {
    event?.preventDefault();
    if (isBusy(button)) return;
    const id = input.value.trim();
    const refused = refuse(id);
    tell(refused);
    if (refused) return;
    setBusy(button, true);
    result.replaceChildren();
    announce('Looking for the record…');
    const answers = await Promise.allSettled(products.map((product) => get(address(['customers', account, 'usage', product, id]), { signal: stop.signal })));
    setBusy(button, false);
    if (stop.signal.aborted) return;
    const found = answers.filter(({ status }) => status === 'fulfilled').map(({ value }) => value);
    const problem = answers.find(({ status, reason }) => status === 'rejected' && reason.status !== 404)?.reason;
    if (problem?.status === 401) close(); // the page asks to sign in
    else if (found.length === 1) open(found[0]);
    else if (found.length > 1) choose(found);
    else if (problem) result.replaceChildren(failure(problem, () => submit()));
    else tell('No record of this customer has this ID.');
  }

  const place = (record) => formatRoute({ view: 'log', account, product: record.product, utc: inUTC(), record: record.id });

  function open(record) {
    close();
    location.hash = place(record);
  }

  // Ids are unique within a log, and no further.
  function choose(records) {
    result.replaceChildren(h('p', null, 'More than one record has this ID:'),
      h('ul', { class: 'jump-list' }, records.map((record) => h('li', null,
        h('a', { href: place(record), click: close }, `${productWord(record.product).label}, ${fullTime(record.timestamp, inUTC())}`)))));
    result.querySelector('a').focus();
  }
}
