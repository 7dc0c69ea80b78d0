// Reads the customers that answer a question, page after page: up to 1,000 by itself, for only
// what is there whole can be put into another order than the API's, which is by name.
//
// Only the newest question counts: asking again stops the requests under way.

import { address, get } from './api.js';

const aPage = '100';
const byItself = 1000;

// The address of a page of customers.
export function customersPage({ search, product, credit }, cursor = null) {
  return address(['customers'], { search, product, credit, limit: aPage, cursor });
}

// changed() is called after each step; learn(customer) with each customer that is read.
export function roster({ changed, learn }) {
  let turn = 0;
  let stop = null;
  // phase is first (nothing is there), again (what is there answers the question before), more, done.
  let now = { query: null, customers: [], cursor: null, phase: 'first', problem: null };

  function step(part) {
    now = { ...now, ...part };
    changed(now);
  }

  function renew() {
    turn += 1;
    stop?.abort();
    stop = new AbortController();
    return turn;
  }

  async function read(upTo) {
    const mine = renew();
    const { signal } = stop;
    try {
      let fresh = now.phase !== 'more';
      do {
        const page = await get(customersPage(now.query, fresh ? null : now.cursor), { signal });
        if (mine !== turn) return;
        page.data.forEach(learn);
        const customers = fresh ? page.data : [...now.customers, ...page.data];
        fresh = false;
        step({ customers, cursor: page.nextCursor, phase: page.nextCursor !== null && customers.length < upTo ? 'more' : 'done' });
      } while (now.phase === 'more');
    } catch (problem) {
      if (mine !== turn || problem.status === 401) return;
      step(now.phase === 'more' ? { phase: 'done', problem } : { customers: [], cursor: null, phase: 'done', problem });
    }
  }

  return {
    state: () => now,
    ask(query) {
      step({ query, problem: null, phase: now.customers.length > 0 ? 'again' : 'first' });
      return read(byItself);
    },
    // As many again, or what could not be read.
    more() {
      step({ problem: null, phase: 'more' });
      return read(now.customers.length + byItself);
    },
    // Shows what state() gave, if that is whole and answers the same question; false: it does not.
    recall(kept, query) {
      if (kept?.phase !== 'done' || kept.problem || JSON.stringify(kept.query) !== JSON.stringify(query)) return false;
      renew();
      step(kept);
      return true;
    },
    stop: renew,
  };
}

// Whether all that answers the question is there.
export function isWhole({ phase, cursor, problem }) {
  return phase === 'done' && cursor === null && !problem;
}
