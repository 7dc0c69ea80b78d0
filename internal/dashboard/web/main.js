// Starts the page: shows the view that the address names, and keeps the two in step.

import { address, get, refusal } from './api.js';
import { customerView } from './customer.js';
import { customersView } from './customers.js';
import { stopDownload } from './download.js';
import { drawBanner, drawMenu, drawTop } from './frame.js';
import { comesBack, hasLeft, issuerName, maySetOutSilently, setOutSilently, signOutThere } from './issuer.js';
import { logView } from './log.js';
import { emptyPlace } from './notice.js';
import { overviewView } from './overview.js';
import { customersPage } from './roster.js';
import { formatRoute, parseRoute } from './route.js';
import { heldKey, looksLikeKey, session, signIn, signOut } from './session.js';
import { signInView } from './signin.js';
import { askTabs, meetTabs, tellSignedIn, tellSignedOut } from './tabs.js';
import { forgetRowsAPage } from './turner.js';
import { h, undirected } from './dom.js';
import { inUTC, showUTC } from './zone.js';

const page = document.getElementById('view');
const kept = new Map(); // entry of the browser's history → {route, scroll, ...what its view remembers}
const keptMost = 40;
const customers = new Map(); // account ID → customer, as last seen; null: there is none
const learning = new Set(); // the account IDs that are asked about

let current = null; // the view that is shown
let currentKey = '';
let entry = ''; // where it stands in the browser's history
let route = null;
let shownTo = null; // the session for which it is shown
let message = null; // for the sign-in page
let answer = null; // what somebody comes back from the issuer with
let looking = null; // the issuer being asked who is signed in there
let self = null; // who is signed in, as the API tells it, and in which session; null: it has not yet
let introduced = null; // the session for which it is asked

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
  const again = entry !== '';
  if (!entry) {
    entry = freshEntry();
    history.replaceState({ entry, from }, '', location.hash || '#/overview');
  }
  const memory = kept.get(entry);
  show(zoned(memory?.route && formatRoute(memory.route) === location.hash ? memory.route : parseRoute(location.hash), again), memory);
}

// A log's route in the zone that was chosen. A link from elsewhere chooses UTC where it says so; an
// entry of the history does not choose again.
function zoned(next, again) {
  if (next.view !== 'log' || !session()) return next;
  if (next.utc && !again) showUTC(true);
  if (next.utc === inUTC()) return next;
  const there = { ...next, utc: inUTC() };
  history.replaceState(history.state, '', formatRoute(there));
  return there;
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
    learnSelf();
    return;
  }
  current?.leave();
  current = viewOf(key);
  currentKey = key;
  document.body.dataset.view = key.split('/')[0];
  page.replaceChildren(current.element);
  frame();
  current.update(route, memory);
  learnSelf(); // after the view, which uses the answer of the sign-in
  scrollTo(0, memory?.scroll ?? 0);
  if (current.focus) current.focus.focus();
  else if (!first) current.heading.focus({ preventScroll: true });
}

function keyOf(next) {
  if (!session()) return 'signin';
  if (next.view === 'overview' && next.account) return `customer/${next.account}`;
  if (next.view === 'log') return `log/${next.account}/${next.product}`;
  return next.view;
}

function viewOf(key) {
  const { account, product } = route;
  const missed = () => { customers.set(account, null); frame(); };
  const context = { go, back, self: whoAmI, account, product, customer: () => customers.get(account), known: (one) => customers.get(one), learn: (c) => customers.set(c.accountId, c), missed, renamed: frame };
  switch (key.split('/')[0]) {
    case 'signin': return signInView({ message, answer, looking, question, entered });
    case 'customers': return customersView(context);
    case 'customer': return customerView(context);
    case 'overview': return overviewView(context);
    case 'log': learnOf(account); return logView({ ...context, about: () => learnOf(account) });
    default: return lostView();
  }
}

function frame() {
  const signedIn = session() !== null;
  const customer = customers.get(route.account);
  drawTop({ signedIn, self: whoAmI(), signOut: leave });
  drawMenu(signedIn ? route : null, customer);
  drawBanner(signedIn ? route : null, customer);
  document.title = undirected(`${current.title()} · Partnerview`);
}

// The menu and the banner of a log need its customer; the log itself does not wait for it, and
// tells what is wrong should there be no such customer.
async function learnOf(account) {
  if (customers.get(account) || learning.has(account)) return;
  learning.add(account);
  try {
    customers.set(account, await get(address(['customers', account])));
  } catch (problem) {
    if (problem.status === 404) customers.set(account, null);
  } finally {
    learning.delete(account);
  }
  if (session() && route.account === account) frame();
}

function whoAmI() {
  return self && self.session === session() ? self : null;
}

// Who is signed in, of which partner, and how many of its customers they see. Nothing waits for it:
// where it cannot be had, the bar says less, and the next view asks again.
async function learnSelf() {
  const mine = session();
  if (!mine || whoAmI() || introduced === mine) return;
  introduced = mine;
  try {
    const told = await get(address(['me']));
    if (session() !== mine) return;
    self = { session: mine, ...told };
    frame();
    current.told?.();
  } catch {
    // A refusal has signed out; all else the view tells, should it meet it too.
  } finally {
    if (introduced === mine) introduced = null;
  }
}

function lostView() {
  const heading = h('h1', { tabindex: '-1' }, 'Page not found');
  return { element: h('div', { class: 'view' }, heading, emptyPlace('There is nothing at this address', 'The link may be incomplete.', [{ text: 'All customers', href: '#/customers' }])), heading, title: () => 'Page not found', update() {}, leave() {} };
}

// What the view to come asks first, so that its answer can be used there.
function question() {
  const next = route ?? parseRoute(location.hash);
  return next.account ? address(['customers', next.account]) : customersPage({ search: next.search ?? '', product: next.product ?? '', credit: next.credit ?? '' });
}

function entered() {
  tellSignedIn();
  message = null;
  answer = null;
  looking = null;
  show(zoned(route ?? parseRoute(location.hash), false));
}

// Forgets everything about who was here; what it returns is for signing out at the issuer.
function forget(why) {
  kept.clear();
  customers.clear();
  self = null;
  showUTC(false);
  forgetRowsAPage();
  stopDownload();
  message = why;
  answer = null;
  return signOut();
}

// Somebody signed out in another tab.
function endedElsewhere() {
  forget(signedOut);
  entry = '';
  history.replaceState(null, '', '#/overview');
  show(parseRoute('#/overview'));
}

async function leave() {
  const id = forget(signedOut);
  tellSignedOut();
  if (id) message = { tone: 'good', text: `Signing out at ${issuerName}…` };
  entry = '';
  history.replaceState(null, '', '#/overview');
  show(parseRoute('#/overview'));
  if (!id || await signOutThere(id).catch(() => false)) return;
  message = { tone: 'bad', text: `You are signed out here. At ${issuerName} you may still be signed in.` };
  showAnew();
}

const signedOut = { tone: 'good', text: 'You are signed out.' };
const refusals = {
  key: { tone: 'bad', text: 'Your access key is no longer accepted: it has expired or was revoked, or access is suspended. Sign in again to return to where you were, or contact the platform’s operator.' },
  ended: { tone: 'bad', text: 'Your sign-in has ended. Sign in again to return to where you were.' },
  denied: { tone: 'bad', text: `You are signed in at ${issuerName}, but this account has no access to Partnerview. Contact the platform’s operator, or use another account.`, another: true },
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
const returned = hasLeft(); // from signing out at the issuer
if (returned && !session()) {
  message = signedOut;
  tellSignedOut();
}
answer = comesBack();
meetTabs({ key: heldKey, signedIn: () => session() !== null, ended: endedElsewhere });
if (session() || answer || returned) arrived();
else beginSignedOut();

// A tab in which nobody is signed in yet: another tab may hand its key over, the issuer may know the
// person. The sign-in page waits a little for either.
function beginSignedOut() {
  askTabs((key) => {
    if (session() || !looksLikeKey(key) || (current && !current.idle?.())) return;
    signIn(key);
    if (current) entered();
    else arrived();
  });
  setTimeout(() => {
    if (current) return;
    if (!maySetOutSilently()) return arrived();
    looking = setOutSilently(location.hash, () => !session() && (!current || document.getElementById('key')?.value === ''));
    looking.catch(() => {
      looking = null;
      if (!current) arrived();
    });
    setTimeout(() => { if (!current) arrived(); }, 600);
    return undefined;
  }, 150);
}
