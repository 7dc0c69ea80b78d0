// Package browser drives the dashboard in a real Chromium and a real Firefox, for
// its tests and for `make screenshots`.
//
// It owns the browsers' start and end, a [Page] with the few gestures of a
// person (go, click, type, press, look), the list of [Scenes], and a [Stage]: the
// dashboard and the API's own handlers over data in memory, where faults can be
// injected that the real stack does not have (hostile words in fields that the
// importer would refuse, delays, refusals, a server that is down). What a person
// does is tested on the real stack.
//
// It is not part of the product: nothing that is deployed imports it.
package browser
