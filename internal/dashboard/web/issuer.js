// Single sign-on: OpenID Connect's authorization code with PKCE, as a public client of the one
// issuer that the document names. It knows the protocol and keeps nothing of what it gets, but for
// what a sign-in under way must find again when the person comes back.
//
// Of an ID token it checks whom it is from and for, and that it belongs to this sign-in. Its
// signature it need not check: the token comes from the issuer's own endpoint over TLS (OpenID
// Connect Core 1.0, 3.1.3.7, point 6). Its time it does not: it was made a moment ago, and a
// person's clock may be wrong. It says who is signed in, and opens nothing; the API checks the
// access token.

import { exchange, parsed, Problem } from './wire.js';

const settings = parsed(document.querySelector('meta[name=issuer]')?.content ?? '');
const underWay = 'partnerview.underway';
const left = 'partnerview.left';
const asked = 'partnerview.asked';
let endpoints = null; // a promise, once somebody asked

// The issuer's host, for people; empty: there is no single sign-on.
export const issuerName = settings ? new URL(settings.issuer).host : '';

// Goes to the issuer, if it is there. The view is where the person wants to be afterwards; again asks the issuer
// not to take for granted who they are.
export async function setOut(view, again) {
  location.assign(await wayThere({ view }, again && 'login'));
}

// Whether the issuer may be asked, without a question to the person, who they are: once a tab, and
// not after somebody was signed in here.
export function maySetOutSilently() {
  return settings !== null && sessionStorage.getItem(asked) === null;
}

// Asks that, in place of this page; the person comes back signed in, or as they left. It rejects
// where they cannot be sent, or wanted() has become false.
export async function setOutSilently(view, wanted) {
  setAsked(true);
  const there = await wayThere({ view, silent: true }, 'none');
  if (!wanted()) throw new Problem({ code: 'signin_cancelled' });
  location.replace(there);
}

// Notes whether this tab has asked, or need not.
export function setAsked(yes) {
  if (settings && yes) sessionStorage.setItem(asked, 'yes');
  else sessionStorage.removeItem(asked);
}

async function wayThere(begun, prompt) {
  const { authorization_endpoint: there } = await discovered(true);
  const [state, nonce, verifier] = [secret(), secret(), secret()];
  const challenge = base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))));
  sessionStorage.setItem(underWay, JSON.stringify({ state, nonce, verifier, ...begun }));
  return addressed(there, {
    response_type: 'code', client_id: settings.clientId, redirect_uri: home(), scope: settings.scope, state, nonce,
    code_challenge: challenge, code_challenge_method: 'S256', ...settings.ask, ...(prompt && { prompt }),
  });
}

// What the issuer sent along with the person, and the sign-in that it answers, if one is under
// way in this tab; null: nothing. The address is clean from here on, and shows the view again.
export function comesBack() {
  const query = new URLSearchParams(location.search);
  if (!settings || !(query.has('code') || query.has('error'))) return null;
  const begun = parsed(sessionStorage.getItem(underWay));
  callOff();
  history.replaceState(null, '', location.pathname + (begun?.view ?? location.hash));
  if (begun?.silent && query.has('error')) return null; // nobody is signed in there, or they must be asked
  return { query, begun };
}

export function callOff() {
  sessionStorage.removeItem(underWay);
}

// Tokens for what comesBack gave.
export async function redeem({ query, begun }) {
  const { authorization_response_iss_parameter_supported: names } = await discovered();
  const from = query.get('iss') ?? (names ? '' : settings.issuer); // RFC 9207
  if (!begun || query.get('state') !== begun.state || from !== settings.issuer) throw new Problem({ code: 'signin_mismatch' });
  if (query.has('error')) throw refused(query.get('error'));
  const { tokens, claims } = await ask({ grant_type: 'authorization_code', code: query.get('code'), redirect_uri: home(), code_verifier: begun.verifier });
  if (claims?.nonce !== begun.nonce) throw new Problem({ code: 'signin_mismatch' });
  return tokens;
}

// Tokens in place of those that end. Their ID token, if there is one, must be of the same person.
export async function renew(old) {
  const { tokens, claims } = await ask({ grant_type: 'refresh_token', refresh_token: old.refresh });
  if (claims && claims.sub !== old.subject) throw new Problem({ code: 'signin_mismatch' });
  return { ...old, ...tokens };
}

// Signs the person out at the issuer, which leads back here. The ID token goes to the one who made
// it, in the only address that ever holds a token. False: the issuer has no such endpoint.
export async function signOutThere(id) {
  const { end_session_endpoint: there } = await discovered(true);
  if (!there) return false;
  sessionStorage.setItem(left, 'yes');
  location.replace(addressed(there, { id_token_hint: id, post_logout_redirect_uri: home() }));
  return true;
}

// Whether the person comes back from signing out there. It is told once.
export function hasLeft() {
  const was = sessionStorage.getItem(left) !== null;
  sessionStorage.removeItem(left);
  return was;
}

// anew: to know that somebody is there, before the page is left.
function discovered(anew) {
  if (anew) endpoints = null;
  endpoints ??= discover().catch((problem) => {
    endpoints = null;
    throw problem;
  });
  return endpoints;
}

async function discover() {
  const { response, answer } = await send(`${settings.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  if (!response.ok || !answer) throw new Problem({ code: 'issuer_unavailable' });
  const unfit = (why) => new Problem({ code: 'issuer_unfit', detail: why });
  if (answer.issuer !== settings.issuer) throw unfit('The issuer’s own name is not the one that is configured.');
  const { origin } = new URL(settings.issuer);
  const at = (endpoint) => (URL.canParse(endpoint) ? new URL(endpoint) : {});
  if (at(answer.token_endpoint).origin !== origin) throw unfit('The issuer’s token endpoint is not at the issuer’s own address.');
  for (const there of [answer.authorization_endpoint, answer.end_session_endpoint ?? settings.issuer]) {
    if (at(there).protocol !== 'https:' && at(there).origin !== origin) throw unfit('An endpoint of the issuer is not encrypted.');
  }
  return answer;
}

async function ask(grant) {
  const { token_endpoint: there } = await discovered();
  const { response, answer } = await send(there, { method: 'POST', body: new URLSearchParams({ ...grant, client_id: settings.clientId, ...settings.ask }) });
  if (response.status >= 500 || response.status === 429) throw new Problem({ code: 'issuer_unavailable' });
  if (!response.ok || !answer?.access_token) throw refused(answer?.error ?? `status ${response.status}`);
  const tokens = { access: answer.access_token };
  if (answer.refresh_token) tokens.refresh = answer.refresh_token;
  const life = answer.expires_in > 0 ? answer.expires_in * 1000 : Infinity; // milliseconds; what is not told, a refusal will
  tokens.ends = Date.now() + life;
  tokens.early = Math.min(30_000, life / 10);
  const claims = answer.id_token ? claimsOf(answer.id_token) : null;
  if (!claims) return { tokens, claims };
  const { iss, aud, azp = settings.clientId, sub, name, preferred_username: user, email } = claims;
  if (iss !== settings.issuer || ![aud].flat().includes(settings.clientId) || azp !== settings.clientId) throw new Problem({ code: 'signin_mismatch' });
  return { tokens: { ...tokens, id: answer.id_token, subject: sub, name: name ?? user ?? email ?? '' }, claims };
}

async function send(url, init = {}) {
  try {
    return await exchange(url, { headers: { Accept: 'application/json' }, ...init });
  } catch {
    throw new Problem({ code: 'issuer_unreachable' });
  }
}

// What the issuer says no with. Of its own words only the code is repeated.
function refused(error) {
  if (error === 'access_denied') return new Problem({ code: 'signin_cancelled' });
  if (error === 'server_error' || error === 'temporarily_unavailable') return new Problem({ code: 'issuer_unavailable' });
  return new Problem({ code: 'signin_refused', detail: /^[a-z0-9_ ]{1,60}$/.test(error) ? error : 'unknown' });
}

function claimsOf(jwt) {
  try {
    const text = atob(jwt.split('.')[1].replaceAll('-', '+').replaceAll('_', '/'));
    return parsed(new TextDecoder().decode(Uint8Array.from(text, (c) => c.charCodeAt(0)))) ?? {};
  } catch {
    return {};
  }
}

// The page's own address, to which the issuer leads back.
function home() {
  return location.origin + location.pathname;
}

function addressed(url, query) {
  const to = new URL(url);
  for (const [key, value] of Object.entries(query)) to.searchParams.set(key, value);
  return to;
}

function secret() {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
