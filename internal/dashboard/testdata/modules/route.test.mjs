import assert from 'node:assert/strict';
import test from 'node:test';
import { formatRoute, isSecret, noFilters, parseRoute } from '../../web/route.js';

const log = (filters = {}, rest = {}) => ({ view: 'log', account: 'acme_retail', product: 'sms', filters: { ...noFilters, ...filters }, utc: false, record: '', ...rest });

test('a route comes back from its fragment', () => {
  for (const route of [
    { view: 'customers', search: '', product: '', credit: '', order: '' },
    { view: 'customers', search: 'Müller & Söhne #1 100%', product: 'voice', credit: 'low', order: '-spend' },
    { view: 'overview', by: '', show: '', currency: '', from: '', to: '', product: '' },
    { view: 'overview', by: 'week', show: 'volume', currency: 'GBP', from: '2026-11-02', to: '2026-11-09', product: 'voice' },
    { view: 'overview', account: 'smith&sons', by: '', show: '', currency: '' },
    { view: 'overview', account: '...', by: 'month', show: 'volume', currency: 'EUR' },
    log(),
    log({ period: '7d', direction: 'outbound', status: ['delivered', 'no_answer'], country: ['GB', 'DE'], order: 'asc' }),
    log({ period: 'custom', from: '2026-11-01T00:00:00Z', to: '' }),
    log({}, { utc: true, record: 'u-1:2.b' }),
    { ...log({ channel: ['whatsapp'] }), product: 'messaging' },
  ]) assert.deepEqual(parseRoute(formatRoute(route)), route, formatRoute(route));
});

test('the fragments are those that people share', () => {
  assert.equal(formatRoute(log({ direction: 'outbound' })), '#/customers/acme_retail/sms?direction=outbound');
  assert.equal(formatRoute({ view: 'overview', account: 'smith&sons' }), '#/customers/smith%26sons');
});

test('last four digits, numbers and keys never get into a fragment', () => {
  assert.equal(formatRoute(log({ fromLast4: '0123', toLast4: '4567' })), '#/customers/acme_retail/sms');
  assert.equal(parseRoute('#/customers/acme_retail/sms?fromLast4=0123').filters.fromLast4, undefined);
  for (const search of ['+44 7700 900123', '07700900123', '(202) 555-0100', 'pvk_abc_def', 'see PVK_abc_def']) {
    assert.equal(formatRoute({ view: 'customers', search, product: '' }), '#/customers', search);
  }
  assert.ok(isSecret('pvk_a_b') && !isSecret('acme'));
});

test('what is malformed in a fragment is passed over', () => {
  const route = parseRoute('#/customers/acme_retail/sms?direction=up&status=<script>&status=sent&status=sent&country=gb&country=GB&period=never&order=best&record=a%20b&channel=whatsapp&from=yesterday&time=local');
  assert.deepEqual(route, log({ status: ['sent'], country: ['GB'] }));
});

test('a list of customers is narrowed and put in order by what there is', () => {
  assert.deepEqual(parseRoute('#/customers?credit=fine&order=-price&product=fax'), { view: 'customers', search: '', product: '', credit: '', order: '' });
});

test('what is no view is lost, and so is what is no account', () => {
  for (const fragment of ['#/partners', '#/customers/a', '#/customers/a%2Fb', '#/customers/..%2F..%2Fx', '#/customers/acme_retail/fax', '#/customers/acme_retail/sms/1', '#/customers/%E0%A4%A', '#/customers/<img>']) {
    assert.equal(parseRoute(fragment).view, 'lost', fragment);
  }
});

test('an empty fragment is the overview of all customers', () => {
  for (const fragment of ['', '#', '#/', '#/overview']) assert.deepEqual(parseRoute(fragment), { view: 'overview', by: '', show: '', currency: '', from: '', to: '', product: '' }, fragment);
});

test('days and currencies that are none are passed over', () => {
  for (const query of ['from=2026-11-02', 'from=2026-11-02&to=2026-11-02', 'from=2026-13-01&to=2026-14-01', 'from=a&to=b', 'currency=eur&by=year&show=all']) {
    assert.deepEqual(parseRoute(`#/overview?${query}`), parseRoute('#/overview'), query);
  }
});
