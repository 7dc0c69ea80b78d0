// Who is signed in, in this tab: an access key, or the tokens of single sign-on. They are in
// sessionStorage and nowhere else; closing the tab forgets them (tabs.js hands a key to another tab). No other module knows what a
// credential is made of.

import { callOff, renew, setAsked } from './issuer.js';
import { parsed } from './wire.js';

const keyPlace = 'partnerview.credential';
const tokenPlace = 'partnerview.tokens';

// The form of an access key: pvk_<keyId>_<secret>. Whether it counts, only the
// API can tell.
const keyForm = /^pvk_([0-9A-Za-z]+)_[0-9A-Za-z]+$/;

let renewal = null; // the one under way, for all who wait for it

export function looksLikeKey(text) {
  return keyForm.test(text);
}

// Tells one sign-in from another; null while nobody is signed in.
export function session() {
  return sessionStorage.getItem(keyPlace) ?? tokens()?.since ?? null;
}

function tokens() {
  return parsed(sessionStorage.getItem(tokenPlace));
}

function keep(held) {
  sessionStorage.setItem(tokenPlace, JSON.stringify(held));
}

export function signIn(key) {
  clearSession();
  sessionStorage.setItem(keyPlace, key);
}

export function signInWith(held) {
  clearSession();
  keep({ ...held, since: `${Date.now()} ${Math.random()}` });
}

// Forgets who is signed in. What it returns, if anything, is for signing out at the issuer.
export function signOut() {
  const id = tokens()?.id;
  clearSession();
  setAsked(true); // so that nobody is signed in again without having asked for it
  return id;
}

function clearSession() {
  for (const place of [keyPlace, tokenPlace]) sessionStorage.removeItem(place);
  callOff();
  setAsked(false);
}

// The access key in use, for another tab of this page; null: there is none.
export function heldKey() {
  return sessionStorage.getItem(keyPlace);
}

// What goes into the Authorization header, another than the one that was refused; null: there is
// none. Tokens are renewed shortly before their end. An issuer that cannot be reached is a Problem
// only once the token is of no use.
export async function bearer(refused = null) {
  const held = tokens();
  if (!held) return refused ? null : session();
  if (held.access !== refused && (Date.now() < held.ends - held.early || held.ends === null)) return held.access;
  if (!held.refresh) return refused ? null : held.access;
  try {
    renewal ??= renewed(held).finally(() => { renewal = null; });
    return await renewal;
  } catch (problem) {
    if (!refused && Date.now() < held.ends) return held.access;
    throw problem;
  }
}

async function renewed(held) {
  let next;
  try {
    next = await renew(held);
  } catch (problem) {
    if (!problem.code.startsWith('signin_')) throw problem;
    next = { ...held, access: null, refresh: '', ends: 0 }; // the issuer said no: that is the end
  }
  if (session() !== held.since) return null; // somebody signed out meanwhile
  keep(next);
  return next.access;
}

// Why what bearer() gave does not count: 'key', 'ended' (the token's time is over), or 'denied'
// (the token is fresh, but the API does not take it).
export function refusedBecause() {
  const held = tokens();
  if (!held) return 'key';
  return held.ends !== null && Date.now() >= held.ends ? 'ended' : 'denied';
}

// Who is signed in, for people: the public part of the key, or a name.
export function who() {
  return { key: keyForm.exec(sessionStorage.getItem(keyPlace) ?? '')?.[1] ?? '', name: tokens()?.name ?? '' };
}
