// Exact arithmetic on the decimal strings of the API ("0.081", "-12.5", "0").
// They are never made numbers: a number has room for some 15 digits, an amount
// of money may have more.

// A decimal is {digits: BigInt, scale: decimals after the point}.
function parseDecimal(text) {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (!match) throw new RangeError('not a decimal');
  const fraction = match[3] ?? '';
  return { digits: BigInt(match[1] + match[2] + fraction), scale: fraction.length };
}

function align(a, b) {
  const scale = Math.max(a.scale, b.scale);
  const at = (d) => d.digits * 10n ** BigInt(scale - d.scale);
  return [at(a), at(b), scale];
}

// Below 0, 0 or above 0, as a is less than, equal to or more than b.
export function compareDecimals(a, b) {
  const [x, y] = align(parseDecimal(a), parseDecimal(b));
  return x < y ? -1 : x > y ? 1 : 0;
}

export function addDecimals(a, b) {
  const [x, y, scale] = align(parseDecimal(a), parseDecimal(b));
  return text({ digits: x + y, scale });
}

export function subtractDecimals(a, b) {
  const [x, y, scale] = align(parseDecimal(a), parseDecimal(b));
  return text({ digits: x - y, scale });
}

// a / b with so many decimals, the last rounded half away from zero; b is not zero.
export function divideDecimals(a, b, scale) {
  const [x, y] = align(parseDecimal(a), parseDecimal(b));
  const negative = (x < 0n) !== (y < 0n);
  const size = (n) => (n < 0n ? -n : n);
  const digits = (size(x) * 10n ** BigInt(scale) * 2n + size(y)) / (size(y) * 2n);
  return text({ digits: negative ? -digits : digits, scale });
}

// How often b goes into a wholly: a BigInt. Both are above zero.
export function wholeTimes(a, b) {
  const [x, y] = align(parseDecimal(a), parseDecimal(b));
  return x / y;
}

export function isZero(a) {
  return parseDecimal(a).digits === 0n;
}

// Whether setup + unit × count / divisor is exactly amount, so that no
// rounding took part in it.
export function isExactly(amount, setup, unit, count, divisor) {
  const price = parseDecimal(unit);
  const product = { digits: price.digits * BigInt(count), scale: price.scale };
  const of = (d) => ({ digits: d.digits * BigInt(divisor), scale: d.scale });
  const [s, p, scale] = align(of(parseDecimal(setup)), product);
  const [total, shown] = align({ digits: s + p, scale }, of(parseDecimal(amount)));
  return total === shown;
}

// Plain notation without trailing zeros, as the API writes it.
function text({ digits, scale }) {
  const sign = digits < 0n ? '-' : '';
  const all = (digits < 0n ? -digits : digits).toString().padStart(scale + 1, '0');
  const whole = all.slice(0, all.length - scale);
  const fraction = all.slice(all.length - scale).replace(/0+$/, '');
  return sign + whole + (fraction && `.${fraction}`);
}
