// Starts the page: shows the view that the address names, and keeps the two in step.

import { address, get, refusal } from './api.js';
import { customersView } from './customers.js';
import { drawBanner, drawMenu, drawTop } from './frame.js';
import { comesBack, hasLeft, issuerName, signOutThere } from './issuer.js';
import { logView } from './log.js';
import { emptyPlace } from './notice.js';
import { overviewView } from './overview.js';
import { formatRoute, parseRoute } from './route.js';
import { session, signOut } from './session.js';
import { signInView } from './signin.js';
import { h } from './dom.js';

const page = document.getElementById('view');
const kept = new Map(); // entry of the browser's history → {route, scroll, ...what its view remembers}
const keptMost = 40;
const customers = new Map(); // account ID → customer, as last seen; null: there is none

let current = null; // the view that is shown
let currentKey = '';
let entry = ''; // where it stands in the browser's history
let route = null;
let shownTo = null; // the session for which it is shown
let message = null; // for the sign-in page
let answer = null; // what somebody comes back from the issuer with

// Shows a route. What cannot be put into the address (digits of a number) lives in the route that
// history entries keep.
function go(next, { replace = false } = {}) {
  remember();
  const target = formatRoute(next);
  if (replace) {
    history.replaceState(history.state, '', target);
  } else {
    entry = freshEntry();
    history.pushState({ entry, from: currentKey }, '', target);
  }
  show(next);
}

// Leaves a detail: back to where it was opened from, if that is this very view.
function back(next) {
  if (history.state?.from === currentKey) history.back();
  else go(next, { replace: true });
}

// Something else changed the address: a link, the person, back or forward.
function arrived() {
  remember();
  const from = currentKey;
  entry = history.state?.entry ?? '';
  if (!entry) {
    entry = freshEntry();
    history.replaceState({ entry, from }, '', location.hash || '#/customers');
  }
  const memory = kept.get(entry);
  show(memory?.route && formatRoute(memory.route) === location.hash ? memory.route : parseRoute(location.hash), memory);
}

function freshEntry() {
  return `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
}

function remember() {
  if (!current || !entry) return;
  kept.delete(entry);
  kept.set(entry, { route, scroll: scrollY, ...current.remember?.() });
  if (kept.size > keptMost) kept.delete(kept.keys().next().value);
}

function show(next, memory) {
  const key = keyOf(next);
  const first = currentKey === '';
  route = next;
  shownTo = session();
  if (key === currentKey && key !== 'lost') {
    frame();
    current.update(route, memory);
    return;
  }
  current?.leave();
  current = viewOf(key);
  currentKey = key;
  document.body.dataset.view = key.split('/')[0];
  page.replaceChildren(current.element);
  frame();
  current.update(route, memory);
  scrollTo(0, memory?.scroll ?? 0);
  if (current.focus) current.focus.focus();
  else if (!first) current.heading.focus({ preventScroll: true });
}

function keyOf(next) {
  if (!session()) return 'signin';
  if (next.view === 'overview') return `overview/${next.account}`;
  if (next.view === 'log') return `log/${next.account}/${next.product}`;
  return next.view;
}

function viewOf(key) {
  const { account, product } = route;
  const missed = () => { customers.set(account, null); frame(); };
  const context = { go, back, account, product, customer: () => customers.get(account), learn: (c) => customers.set(c.accountId, c), missed, renamed: frame };
  switch (key.split('/')[0]) {
    case 'signin': return signInView({ message, answer, entered });
    case 'customers': return customersView(context);
    case 'overview': return overviewView(context);
    case 'log': learnOf(account); return logView(context);
    default: return lostView();
  }
}

function frame() {
  const signedIn = session() !== null;
  const customer = customers.get(route.account);
  drawTop({ signedIn, signOut: leave });
  drawMenu(signedIn ? route : null, customer);
  drawBanner(signedIn ? route : null, customer);
  document.title = `${current.title()} · Partnerview`;
}

// The menu and the banner of a log need its customer; the log itself does not wait for it, and
// tells what is wrong should there be no such customer.
async function learnOf(account) {
  if (customers.get(account)) return;
  try {
    customers.set(account, await get(address(['customers', account])));
  } catch (problem) {
    if (problem.status === 404) customers.set(account, null);
  }
  if (session() && route.account === account) frame();
}

function lostView() {
  const heading = h('h1', { tabindex: '-1' }, 'Page not found');
  return { element: h('div', { class: 'view' }, heading, emptyPlace('There is nothing at this address', 'The link may be cut short.', [{ text: 'All customers', href: '#/customers' }])), heading, title: () => 'Page not found', update() {}, leave() {} };
}

function entered() {
  message = null;
  answer = null;
  show(route ?? parseRoute(location.hash));
}

// Forgets everything about who was here; what it returns is for signing out at the issuer.
function forget(why) {
  kept.clear();
  customers.clear();
  message = why;
  answer = null;
  return signOut();
}

async function leave() {
  const id = forget(signedOut);
  if (id) message = { tone: 'good', text: `Signing out at ${issuerName}…` };
  entry = '';
  history.replaceState(null, '', '#/customers');
  show(parseRoute('#/customers'));
  if (!id || await signOutThere(id).catch(() => false)) return;
  message = { tone: 'bad', text: `You are signed out here. At ${issuerName} you may still be signed in.` };
  showAnew();
}

const signedOut = { tone: 'good', text: 'You are signed out.' };
const refusals = {
  key: { tone: 'bad', text: 'Your access key is no longer accepted: it has expired or was revoked. Sign in to return to where you were.' },
  ended: { tone: 'bad', text: 'Your sign-in has ended. Sign in again to return to where you were.' },
  denied: { tone: 'bad', text: `You are signed in at ${issuerName}, but this account may not use Partnerview, or no longer may. Ask the platform’s operator, or use another account.`, another: true },
};

window.addEventListener(refusal, ({ detail }) => {
  forget(refusals[detail]);
  show(route);
});

// Shows the address with nothing that was there before.
function showAnew() {
  current?.leave();
  current = null;
  currentKey = '';
  arrived();
}

// A page that the browser kept whole, and shows again after Back: it is not for somebody else, and
// a sign-in that was under way when it was left is under way no more.
window.addEventListener('pageshow', ({ persisted }) => {
  if (!persisted || (session() && session() === shownTo)) return;
  kept.clear();
  customers.clear();
  showAnew();
});

document.getElementById('skip').addEventListener('click', (event) => {
  event.preventDefault();
  current.heading.focus();
});

history.scrollRestoration = 'manual';
window.addEventListener('popstate', arrived);
if (hasLeft() && !session()) message = signedOut;
answer = comesBack();
arrived();
