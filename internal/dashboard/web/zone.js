// Whether times are shown in UTC or in the browser's zone: the person's choice, which holds in this
// tab for every view until they sign out.

const zonePlace = 'partnerview.zone';

export function inUTC() {
  return sessionStorage.getItem(zonePlace) === 'utc';
}

export function showUTC(yes) {
  if (yes) sessionStorage.setItem(zonePlace, 'utc');
  else sessionStorage.removeItem(zonePlace);
}
