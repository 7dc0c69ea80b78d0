import assert from 'node:assert/strict';
import test from 'node:test';
import { inOrder, nextOrder, orderParts, orders } from '../../web/order.js';

const customer = (accountId, currency, spend, credit) => ({
  accountId, currency, spend: spend === null ? null : { amount: spend, currency }, remainingCredit: { amount: credit, currency },
});

// By name, as the API lists them.
const customers = [
  customer('delta', 'USD', '2', '900719925474099.3'),
  customer('alpha', 'EUR', '10', null),
  customer('Bravo', 'EUR', '9.5', '-0.5'),
  customer('echo', 'EUR', null, '12'),
  customer('charlie', 'USD', '2', '900719925474099.2'),
];

const ids = (order) => inOrder(customers, order).map((c) => c.accountId).join(' ');

test('each order, amounts by currency and what is unknown last', () => {
  assert.equal(ids(''), 'delta alpha Bravo echo charlie');
  assert.equal(ids('-name'), 'charlie echo Bravo alpha delta');
  assert.equal(ids('id'), 'Bravo alpha charlie delta echo');
  assert.equal(ids('-id'), 'echo delta charlie alpha Bravo');
  assert.equal(ids('currency'), 'alpha Bravo echo delta charlie');
  assert.equal(ids('-currency'), 'delta charlie alpha Bravo echo');
  assert.equal(ids('-spend'), 'alpha Bravo delta charlie echo');
  assert.equal(ids('spend'), 'Bravo alpha delta charlie echo');
  assert.equal(ids('credit'), 'Bravo echo charlie delta alpha');
  assert.equal(ids('-credit'), 'echo Bravo delta charlie alpha');
});

test('putting in order changes nothing of what is there', () => {
  const before = JSON.stringify(customers);
  orders.forEach((order) => inOrder(customers, order));
  assert.equal(JSON.stringify(customers), before);
});

test('a head pressed twice turns the order round', () => {
  assert.equal(nextOrder('', 'name'), '-name');
  assert.equal(nextOrder('-name', 'name'), '');
  assert.equal(nextOrder('', 'spend'), '-spend');
  assert.equal(nextOrder('-spend', 'spend'), 'spend');
  assert.equal(nextOrder('spend', 'credit'), 'credit');
  assert.equal(nextOrder('credit', 'name'), '');
  assert.deepEqual(orderParts(''), { key: 'name', sort: 'ascending' });
  for (const order of orders) for (const key of ['name', 'id', 'currency', 'spend', 'credit']) assert.ok(orders.includes(nextOrder(order, key)));
});
