// What the page says besides data: announcements to screen readers, problems
// with a way out, and places that are empty.

import { h, icon, name } from './dom.js';

// Says a text to screen readers, politely. The region is emptied first, so that the same words
// are heard again. An open dialog makes the rest of the page inert, so it has a region of its own.
export function announce(text) {
  const live = document.querySelector('dialog[open] .live') ?? document.getElementById('live');
  live.textContent = '';
  setTimeout(() => { live.textContent = text; }, 60);
}

// Says it to everybody: as a short-lived line above the page too.
export function toast(text) {
  announce(text);
  document.querySelector('.toast')?.remove();
  const line = h('div', { class: 'toast', 'aria-hidden': 'true' }, icon('check'), text);
  (document.querySelector('dialog[open]') ?? document.body).append(line);
  setTimeout(() => line.remove(), 2500);
}

const titles = new Map([
  ['customer_not_found', 'Customer not found'],
  ['product_not_found', 'Product not available'],
  ['record_not_found', 'Record not found'],
  ['invalid_parameter', 'These filters cannot be used'],
  ['request_too_large', 'These filters are too many'],
  ['too_many_requests', 'Too many requests'],
  ['quota_exceeded', 'The quota is used up'],
  ['unavailable', 'The service cannot answer right now'],
  ['timeout', 'No answer yet'],
  ['unreachable', 'The service could not be reached'],
  ['issuer_unreachable', 'The sign-in service could not be reached'],
  ['issuer_unavailable', 'The sign-in service cannot answer right now'],
  ['issuer_unfit', 'Single sign-on is not set up correctly'],
  ['signin_cancelled', 'You were not signed in'],
  ['signin_refused', 'You were not signed in'],
  ['signin_mismatch', 'This sign-in was not completed'],
]);

// Whether nobody answered: what was asked for may be as it was, and so may all else that is asked for now.
export function isOffline(problem) {
  return ['unreachable', 'timeout', 'issuer_unreachable'].includes(problem.code);
}

function advice(problem) {
  switch (problem.code) {
    case 'customer_not_found': return `${problem.detail} A customer that was assigned a moment ago can take a minute to appear.`;
    case 'product_not_found': case 'record_not_found': case 'quota_exceeded': case 'request_too_large': return problem.detail;
    case 'invalid_parameter': return problem.errors.map((e) => `${e.parameter} ${e.detail}.`).join(' ') || problem.detail;
    case 'too_many_requests': return `Wait ${problem.retryAfter > 1 ? `${problem.retryAfter} seconds` : 'a moment'}, then try again.`;
    case 'unavailable': return 'Nothing is wrong with your request. Try again in a few seconds.';
    case 'timeout': return 'The service took longer than 30 seconds. Try again, or ask for a shorter period.';
    case 'unreachable': case 'issuer_unreachable': return 'Check your connection, then try again.';
    case 'issuer_unavailable': return 'Try again in a few seconds.';
    case 'issuer_unfit': return `${problem.detail} Tell the operator.`;
    case 'signin_cancelled': return 'You cancelled, or you have no access.';
    case 'signin_refused': return `The sign-in service refused (${problem.detail}). If it happens again, tell the operator.`;
    case 'signin_mismatch': return 'It was not started in this tab. Sign in again.';
    default: return 'The fault is on our side. If it happens again, give the operator the request ID.';
  }
}

// A problem in one line.
export function problemText(problem) {
  return `${titles.get(problem.code) ?? 'Something went wrong'}. ${advice(problem)}`;
}

// A problem, its request id, and what can be done: retry, if it may help, and
// more actions [{text, href | click}].
export function failure(problem, retry, actions = []) {
  const hopeless = ['customer_not_found', 'product_not_found', 'record_not_found', 'invalid_parameter'].includes(problem.code);
  return h('div', { class: 'notice notice-bad', role: 'alert' },
    icon('warning', 'notice-icon'),
    h('div', { class: 'notice-text' },
      h('p', { class: 'notice-title' }, titles.get(problem.code) ?? 'Something went wrong'),
      h('p', null, advice(problem)),
      problem.requestId && h('p', { class: 'request-id' }, 'Request ID ', h('code', null, problem.requestId), ' ', copyButton(problem.requestId, 'Copy the request ID')),
      h('div', { class: 'actions' },
        retry && !hopeless && h('button', { type: 'button', class: 'button', click: retry }, 'Try again'),
        actions.map(action))));
}

function action({ text, href, click }) {
  return href ? h('a', { class: 'button', href }, text) : h('button', { type: 'button', class: 'button', click }, text);
}

// A place that holds nothing, and what to do about it.
export function emptyPlace(title, text, actions = []) {
  return h('div', { class: 'empty' },
    icon('empty', 'empty-icon'),
    h('p', { class: 'empty-title' }, title),
    h('p', null, text),
    actions.length > 0 && h('div', { class: 'actions' }, actions.map(action)));
}

// Why somebody has no customer, and whom to ask; self is what the API tells of them, or null.
export function whyNobody(self) {
  const { narrowed, partnerName, partnerCustomers } = self ?? {};
  return narrowed && partnerCustomers !== 0
    ? ['None of the customers of ', name(partnerName), ' is assigned to you. Ask whoever manages access there, or the platform’s operator, to assign some; they appear here within a minute.']
    : ['No customer account is assigned to you. Ask the platform’s operator to assign one; it appears here within a minute.'];
}

// A small button that copies a text and says so.
export function copyButton(text, label) {
  return h('button', { type: 'button', class: 'icon-button', 'aria-label': label, title: label, click: () => copied(text) }, icon('copy'));
}

// Copies a text and says how it went.
export async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast('Copied');
  } catch {
    toast('The browser does not allow copying');
  }
}
