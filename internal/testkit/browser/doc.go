// Package browser drives a real Chromium and a real Firefox, for the tests of the
// dashboard, which stand here too, and for `make screenshots`.
//
// It owns the browsers' start and end, and a [Page] with the few gestures of a person
// (go, click, type, press, look). Its tests drive two things. What a person does is tested
// on the product itself, as `make run` starts it. Faults that it does not have (hostile
// words in fields that the importer would refuse, delays, refusals, a server that is down)
// are played on a stage: the page, the API's handlers and the authorizer over a real
// engine, in the test's own process.
//
// It is not part of the product: nothing that is deployed imports it.
package browser
