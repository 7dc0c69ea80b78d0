// How many customers there are, and of how many the credit is low or exhausted: "214 customers · 9
// low · 2 exhausted". Which are low the API judges, which looks through all customers that somebody
// sees, up to 2,000.

import { address, get } from './api.js';
import { h } from './dom.js';
import { counted, creditState } from './format.js';
import { isWhole } from './roster.js';

// list() is the roster's state; learned() is called once it is known whose credit is low;
// refused(yes) tells whether there are too many customers to ask; retried() that somebody pressed what goes.
export function tally({ list, learned, refused, retried }) {
  const stop = new AbortController();
  const counts = new Map(); // search and product → {all, low, exhausted}
  let question = { search: '', product: '' };
  let low = null; // the account IDs of all whose credit is low; null: not known
  let trouble = null; // why something is not known: a problem
  const element = h('p', { class: 'lead tally' });

  const keyOf = ({ search, product }) => JSON.stringify([search, product]);

  // Counts what is there, or has the API count where that is not all.
  async function count() {
    const asked = question;
    const key = keyOf(asked);
    trouble = null;
    draw();
    try {
      if (low === null) {
        low = await readLow(stop.signal);
        learned();
      }
      const now = list();
      if (isWhole(now) && !now.query.credit && keyOf(now.query) === key) counts.set(key, countOf(now.customers, low));
      if (!counts.has(key)) counts.set(key, await readCounts(asked, low, stop.signal));
    } catch (problem) {
      if (stop.signal.aborted || problem.status === 401) return;
      trouble = problem;
    }
    draw();
  }

  function draw() {
    const told = counts.get(keyOf(question));
    const tooMany = trouble !== null && areTooMany(trouble);
    refused(tooMany);
    if (told) element.replaceChildren([`${counted(told.all, 'customer')}${question.search || question.product ? ' found' : ''}`, counted(told.low, 'low', 'low'), counted(told.exhausted, 'exhausted', 'exhausted')].join(' · '));
    else if (!trouble) element.replaceChildren(h('span', { class: 'bone' }));
    else if (tooMany) element.replaceChildren('You see more than 2,000 customers. Of so many it is not told whose credit is low.');
    else element.replaceChildren('Whose credit is low could not be loaded. ', h('button', { type: 'button', class: 'link', click: () => { retried(); count(); } }, 'Try again'));
  }

  return {
    element,
    count,
    // What the list is asked: {search, product}.
    ask(next, known = null) {
      question = next;
      low ??= known;
      draw();
    },
    low: () => low,
    stop: () => stop.abort(),
  };
}

// The account IDs of all whose credit is low.
async function readLow(signal) {
  const low = new Set();
  let cursor = null;
  do {
    const page = await get(address(['customers'], { credit: 'low', limit: '100', cursor }), { signal });
    page.data.forEach((c) => low.add(c.accountId));
    cursor = page.nextCursor;
  } while (cursor !== null);
  return low;
}

// How many customers answer a search for a product; one count after the other, since each looks
// through all customers.
async function readCounts({ search, product }, known, signal) {
  const total = async (credit) => (await get(address(['customers'], { search, product, credit, count: 'true', limit: '1' }), { signal })).total;
  const low = search || product ? await total('low') : known.size;
  return { low, exhausted: await total('exhausted'), all: await total('') };
}

// The same of customers that are all there.
function countOf(customers, low) {
  return {
    all: customers.length,
    low: customers.filter((c) => low.has(c.accountId)).length,
    exhausted: customers.filter((c) => creditState(c.remainingCredit, Date.now()).level === 'exhausted').length,
  };
}

// Whether somebody sees more customers than are looked through.
export function areTooMany(problem) {
  return problem.code === 'invalid_parameter' && problem.errors.some(({ parameter }) => parameter === 'credit' || parameter === 'count');
}
