// Asks the API, always with GET. Every failure comes out as a Problem, whoever made
// it: the API, its gateway, the network, or a clock that ran out.

import { credential } from './session.js';

// The window's event when the API no longer takes the credential in use.
export const refusal = 'partnerview:refused';

const patience = 30_000; // milliseconds; the gateway itself gives up after 29 s

class Problem extends Error {
  constructor({ status = 0, code, detail = '', requestId = '', retryAfter = 0, errors = [] }) {
    super(detail || code);
    Object.assign(this, { status, code, detail, requestId, retryAfter, errors });
  }
}

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

// The answer's JSON. A request that its own signal stopped rejects with an
// AbortError, which is nobody's problem.
export async function get(url, { signal, key = credential() } = {}) {
  const stop = new AbortController();
  let late = false;
  const clock = setTimeout(() => { late = true; stop.abort(); }, patience);
  signal?.addEventListener('abort', () => stop.abort());
  let response, body;
  try {
    response = await fetch(url, {
      headers: { Authorization: `Bearer ${key}`, Accept: 'application/json' },
      cache: 'no-store', credentials: 'omit', redirect: 'error', referrerPolicy: 'no-referrer', signal: stop.signal,
    });
    body = await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem({ code: late ? 'timeout' : 'unreachable' });
  } finally {
    clearTimeout(clock);
  }
  const answer = parsed(body);
  if (response.ok && answer) return answer;
  if (response.status === 401 && key === credential()) window.dispatchEvent(new Event(refusal));
  throw new Problem({
    status: response.status,
    code: answer?.code ?? 'unreadable',
    detail: answer?.detail,
    requestId: answer?.requestId ?? response.headers.get('x-amzn-requestid') ?? '',
    retryAfter: Number(response.headers.get('retry-after')) || 0,
    errors: Array.isArray(answer?.errors) ? answer.errors : [],
  });
}

function parsed(body) {
  try {
    const value = JSON.parse(body);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}

// The command that asks the same from a terminal. The key is a variable of the
// shell, to be set by who runs it.
export function asCurl(url) {
  return `curl -H "Authorization: Bearer $PARTNERVIEW_KEY" '${String(url).replaceAll("'", '%27')}'`;
}
