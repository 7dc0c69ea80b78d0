// Asks the API, always with GET, in the name of who is signed in.

import { bearer, refusedBecause, session } from './session.js';
import { exchange, Problem } from './wire.js';

// The window's event when the API no longer takes the credential in use; its detail says why.
export const refusal = 'partnerview:refused';

// The address of a request: relative to the page, so that it holds under any
// stage and base path. Steps are path segments; a query value may be a list.
export function address(steps, query = {}) {
  const asked = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    for (const one of [value].flat()) if (one !== '' && one !== undefined && one !== null) asked.append(key, one);
  }
  const text = asked.toString();
  return new URL(steps.map(encodeURIComponent).join('/') + (text && `?${text}`), document.baseURI);
}

// What a key was tried with, {key, url, answer}, for the view that asks the same a moment later;
// null: it was asked for already.
let spare = null;

// The answer's JSON, or a Problem. With a key, that one is tried, and nobody is signed out by it.
export async function get(url, { signal, key } = {}) {
  const tried = spare;
  spare = null;
  if (!key && tried && tried.key === session() && tried.url === String(url)) return tried.answer;
  const { answer } = await ask(url, { signal, key, accept: 'application/json', fits: (got) => got.answer });
  if (key) spare = { key, url: String(url), answer };
  return answer;
}

// A page of a list as lines: {text, next}, next being the address of the page after it, or null.
export async function getCSV(url, { signal } = {}) {
  const { response, text } = await ask(url, { signal, accept: 'text/csv', fits: (got) => got.response.headers.get('content-type')?.startsWith('text/csv') });
  const link = /<([^>]*)>; rel="next"/.exec(response.headers.get('link') ?? '');
  return { text, next: link && new URL(link[1], url) };
}

// What was exchanged, where it is what was asked for. A token that is refused is renewed once, if it can be.
async function ask(url, { signal, key, accept, fits }) {
  const mine = session();
  const send = (token) => exchange(url, { signal, headers: { Authorization: `Bearer ${token}`, Accept: accept } });
  const token = key ?? await bearer();
  let got = token && await send(token);
  if (!key && got?.response.status === 401) {
    const another = await bearer(token);
    if (another) got = await send(another);
  }
  const { response, answer } = got ?? {};
  if (response?.ok && fits(got)) return got;
  const status = response?.status ?? 401;
  if (!key && status === 401 && session() === mine) window.dispatchEvent(new CustomEvent(refusal, { detail: refusedBecause() }));
  throw new Problem({
    status,
    code: answer?.code ?? 'unreadable',
    detail: answer?.detail,
    requestId: answer?.requestId ?? response?.headers.get('x-amzn-requestid') ?? '',
    retryAfter: Number(response?.headers.get('retry-after')) || 0,
    errors: Array.isArray(answer?.errors) ? answer.errors : [],
  });
}

// The command that asks the same from a terminal. The key is a variable of the
// shell, to be set by who runs it.
export function asCurl(url) {
  return `curl -H "Authorization: Bearer $PARTNERVIEW_KEY" '${String(url).replaceAll("'", '%27')}'`;
}
