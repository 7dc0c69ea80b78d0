import assert from 'node:assert/strict';
import test from 'node:test';
import { addDecimals, compareDecimals, divideDecimals, isExactly, isZero, subtractDecimals, wholeTimes } from '../../web/decimal.js';

test('decimals are compared by value, whatever their scale', () => {
  for (const [a, b, want] of [
    ['0.5', '0.50', 0], ['10', '9.999', 1], ['-1', '0', -1], ['-0.4275', '-0.43', 1],
    ['12345678901234567890.000001', '12345678901234567890.000002', -1], ['0', '-0', 0],
  ]) assert.equal(compareDecimals(a, b), want, `${a} and ${b}`);
});

test('a sum keeps every digit', () => {
  assert.equal(addDecimals('0.1', '0.2'), '0.3');
  assert.equal(addDecimals('12345678901234567890.123456', '0.000004'), '12345678901234567890.12346');
  assert.equal(addDecimals('-0.05', '0.04'), '-0.01');
  assert.equal(addDecimals('-5', '5.00'), '0');
});

test('zero is zero in every spelling', () => {
  assert.ok(isZero('0') && isZero('0.000') && isZero('-0'));
  assert.ok(!isZero('0.0000000000000000000001'));
});

test('what is no decimal is refused', () => {
  for (const text of ['', '1e3', '.5', '1.', ' 1', '0x1', 'NaN', '１']) assert.throws(() => compareDecimals(text, '0'), RangeError, text);
});

test('it is told whether rounding took part in a price', () => {
  assert.ok(isExactly('0.162', '0', '0.081', 2, 1));
  assert.ok(isExactly('0.017', '0.005', '0.012', 60, 60));
  assert.ok(!isExactly('0.010833', '0.005', '0.05', 7, 60)); // 0.0108333…
  assert.ok(!isExactly('0.16', '0', '0.081', 2, 1));
});

test('a quotient is rounded half away from zero, at its last decimal alone', () => {
  for (const [a, b, scale, want] of [['1', '3', 3, '0.333'], ['2', '3', 3, '0.667'], ['1', '2000', 3, '0.001'], ['-1', '2000', 3, '-0.001'], ['1', '2001', 3, '0'], ['5', '-2', 0, '-3'], ['0.30', '0.1', 2, '3']]) {
    assert.equal(divideDecimals(a, b, scale), want, `${a} / ${b}`);
  }
  assert.equal(wholeTimes('0.3', '0.1'), 3n);
  assert.equal(wholeTimes('0.29', '0.1'), 2n);
  assert.equal(subtractDecimals('0.3', '0.1'), '0.2');
  assert.equal(subtractDecimals('1', '1.00'), '0');
});
