// The columns of a log: what each record of a product shows, in a table row and in
// the record's detail.

import { amount, tag } from './credit.js';
import { h, icon, spoken, unknown } from './dom.js';
import { clockText, count, duration, durationWords, fullTime, longDate, zoneName } from './format.js';
import { copyButton } from './notice.js';
import { operatorName } from './operators.js';
import { channelName, countryName, directionWord, plain, statusWord } from './vocabulary.js';

// A time in the zone that is shown, under its day's heading: hovering tells the other one.
function timeCell(iso, utc) {
  return h('time', { datetime: iso, title: utc ? fullTime(iso, false) : iso }, clockText(iso, utc));
}

// The day that a record stands under, as a table's group. The day on which a zone's clocks are changed has two.
export function dayOf(record, utc) {
  const [day, zone] = [longDate(record.timestamp, utc), zoneName(utc, record.timestamp)];
  return { key: `${day} ${zone}`, text: [day, ' ', h('span', { class: 'zone' }, zone)] };
}

function directionCell(record) {
  const word = directionWord(record.direction);
  return word ? h('span', { class: `direction ${record.direction}` }, icon(word.icon), word.label) : unknown('unknown');
}

function statusCell(record) {
  if (!record.status) return unknown('unknown');
  const word = statusWord(record.status);
  return h('span', { class: `status ${word.tone}` }, word.icon && icon(word.icon), word.label);
}

function numberCell(masked) {
  if (!masked) return unknown('none');
  return h('span', { class: 'number' }, h('span', { 'aria-hidden': 'true' }, masked.replaceAll('*', '•')),
    spoken(masked.length > 4 ? `ending in ${[...masked.slice(-4)].join(' ')}` : 'hidden'));
}

// A name, and behind it the code that it is of, where that says something else.
function named(text, code) {
  return text && text !== code ? [text, ' ', h('code', null, code)] : h('code', null, code);
}

function countryCell(record) {
  if (!record.country && !record.operator) return unknown('unknown');
  return [
    record.country && h('span', { class: 'country' }, named(countryName(record.country), record.country)),
    record.operator && h('span', { class: 'operator' }, named(operatorName(record.operator), record.operator)),
  ].filter(Boolean);
}

// The price, and in a word how it came about where it was not simply rated.
function priceCell(record) {
  const { price } = record;
  if (price.amount === null) return h('span', { class: 'price' }, tag('Not priced', 'question'));
  return h('span', { class: 'price' },
    price.status === 'free' && tag('Free', null),
    price.status === 'recorded' && tag('Recorded', null),
    amount(price.amount, price.currency));
}

function countCell(value) {
  return value === null || value === undefined ? unknown('unknown') : count(value);
}

function durationCell(seconds) {
  if (seconds === null || seconds === undefined) return unknown('unknown');
  return h('span', null, h('span', { 'aria-hidden': 'true' }, duration(seconds)), spoken(durationWords(seconds)));
}

const special = {
  sms: [{ label: 'Segments', className: 'col-count numeric', cell: (r) => countCell(r.segments) }],
  voice: [{ label: 'Duration', className: 'col-count numeric', cell: (r) => durationCell(r.durationSeconds) }],
  video: [
    { label: 'Duration', className: 'col-count numeric', cell: (r) => durationCell(r.durationSeconds) },
    { label: 'Participants', className: 'col-count numeric', cell: (r) => countCell(r.participants) },
    { label: 'Participant time', className: 'col-count numeric', cell: (r) => durationCell(r.participantSeconds) },
  ],
  messaging: [
    { label: 'Channel', className: 'col-word', cell: (r) => (r.channel ? channelName(r.channel) : unknown('unknown')) },
    { label: 'Category', className: 'col-word', cell: (r) => (r.category ? plain(r.category) : unknown('unknown')) },
  ],
};

// The columns of a product's log. open(record) is the fragment of the record's detail; sort and press are
// those of the time column.
export function logColumns(product, { utc, open, sort, press }) {
  return [
    {
      label: 'Time', className: 'col-clock', header: true, sort, press,
      cell: (r) => h('a', { class: 'row-link', href: open(r), 'aria-label': `${fullTime(r.timestamp, utc)}, details` }, timeCell(r.timestamp, utc)),
    },
    { label: 'Direction', className: 'col-direction', cell: directionCell },
    { label: 'Status', className: 'col-status', cell: statusCell },
    { label: 'From', className: 'col-number', cell: (r) => numberCell(r.from) },
    { label: 'To', className: 'col-number', cell: (r) => numberCell(r.to) },
    { label: 'Country', className: 'col-country', cell: countryCell },
    ...special[product],
    { label: 'Price', className: 'col-price numeric', cell: priceCell },
  ];
}

// A time in the zone that is shown, and in the other, where that is another.
function bothTimes(iso, utc) {
  const [shown, other] = [fullTime(iso, utc), fullTime(iso, !utc)];
  return shown === other ? shown : [shown, h('br'), h('span', { class: 'quiet' }, other)];
}

// A record's facts, as [[term, element or text]], for its detail.
export function facts(record, utc) {
  return [
    ['Time', bothTimes(record.timestamp, utc)],
    ['Direction', directionCell(record)],
    ['Status', statusCell(record)],
    record.statusAt && ['Status since', fullTime(record.statusAt, utc)],
    record.errorCode && ['Error code', h('code', null, record.errorCode)],
    ['From', numberCell(record.from)],
    ['To', numberCell(record.to)],
    ['Country', record.country ? named(countryName(record.country), record.country) : unknown('unknown')],
    'operator' in record && ['Operator', record.operator ? named(operatorName(record.operator), record.operator) : unknown('unknown')],
    ...special[record.product].map(({ label, cell }) => [label, cell(record)]),
    ['Record ID', h('span', { class: 'copyable' }, h('code', { class: 'breakable' }, record.id), copyButton(record.id, 'Copy the record ID'))],
  ].filter(Boolean);
}
