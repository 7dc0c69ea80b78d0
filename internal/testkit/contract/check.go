package contract

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// CheckAnswer says in what an answer to a request departs from the contract: a
// status, content type or body that it does not promise, or a header that it
// does and that is missing or different. Each departure is an error of its own,
// joined; one in a body begins with the JSON Pointer to where it is.
//
// The path is the one on the wire, still escaped, as "/v1/customers/smith%26sons";
// the stage and a query may be there or not. A method and path that are no route
// of the contract must answer with its route_not_found problem. Headers that the
// contract does not name are not looked at.
//
// Three things are checked that stand in the contract's words and examples, and
// not in its schemas: a problem is one of those that the response has as examples;
// its requestId is the header's; and records are of the product that the path names.
//
// A path with a segment "." or ".." may answer either way: on its way here, it
// may or may not have been resolved (RFC 3986, section 5.2.4).
func (s *Spec) CheckAnswer(method, path string, status int, header http.Header, body []byte) error {
	o := s.find(method, path)
	if o == nil {
		return s.checkNoRoute(method, path, status, header, body)
	}
	if hasDotSegment(path) && s.checkNoRoute(method, path, status, header, body) == nil {
		return nil
	}
	promised, ok := o.responses[status]
	if !ok {
		return fmt.Errorf("%s %s: status %d is not in the contract", method, o.path, status)
	}
	if err := promised.check(header, body); err != nil {
		return fmt.Errorf("%s %s, status %d: %w", method, o.path, status, err)
	}
	if err := checkProduct(o.product(s.segments(path)), header, body); err != nil {
		return fmt.Errorf("%s %s, status %d: %w", method, o.path, status, err)
	}
	return nil
}

// product is the one that a path names; empty where its route names none.
func (o *operation) product(asked []string) string {
	if i := slices.Index(strings.Split(o.path, "/"), "{product}"); i >= 0 {
		return asked[i]
	}
	return ""
}

// checkProduct holds a record, or the records of a page, to the product that the
// path names. The body has been found to be of the contract.
func checkProduct(product string, header http.Header, body []byte) error {
	if product == "" {
		return nil
	}
	if isCSV(header) {
		return checkProductOfLines(product, body)
	}
	type record struct{ Product string }
	var page struct {
		record
		Data []record
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return fmt.Errorf("the body is not one JSON value: %w", err)
	}
	var wrong []error
	for i, r := range page.Data {
		if r.Product != product {
			wrong = append(wrong, fmt.Errorf("/data/%d/product: %q, where the path names %q", i, r.Product, product))
		}
	}
	if page.Product != "" && page.Product != product {
		wrong = append(wrong, fmt.Errorf("/product: %q, where the path names %q", page.Product, product))
	}
	return errors.Join(wrong...)
}

// checkProductOfLines holds the lines of a page to the product.
func checkProductOfLines(product string, body []byte) error {
	lines, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
	if err != nil {
		return fmt.Errorf("the body is no CSV: %w", err)
	}
	column := slices.Index(lines[0], "product") // the header line, which its pattern promises
	var wrong []error
	for i, line := range lines[1:] {
		if line[column] != product {
			wrong = append(wrong,
				fmt.Errorf("line %d: product %q, where the path names %q", i+2, line[column], product))
		}
	}
	return errors.Join(wrong...)
}

func hasDotSegment(path string) bool {
	path, _, _ = strings.Cut(path, "?")
	return slices.ContainsFunc(strings.Split(path, "/"), func(segment string) bool {
		plain, err := url.PathUnescape(segment)
		return err == nil && (plain == "." || plain == "..")
	})
}

func (s *Spec) checkNoRoute(method, path string, status int, header http.Header, body []byte) error {
	if status != http.StatusNotFound {
		return fmt.Errorf("%s %s: no such route in the contract, so the status must be 404 and not %d",
			method, path, status)
	}
	promised := s.noRoute
	if method == http.MethodHead {
		promised = response{headers: promised.headers} // an answer to HEAD has no body
	}
	if err := promised.check(header, body); err != nil {
		return fmt.Errorf("%s %s, no such route in the contract: %w", method, path, err)
	}
	return nil
}

func (r response) check(header http.Header, body []byte) error {
	departures := make([]error, 0, len(r.headers)+1)
	for _, name := range slices.Sorted(maps.Keys(r.headers)) {
		departures = append(departures, r.headers[name].check(name, header.Values(name)))
	}
	return errors.Join(append(departures, r.checkBody(header, body))...)
}

func (h header) check(name string, values []string) error {
	switch {
	case len(values) == 0 && h.required:
		return fmt.Errorf("header %s is missing", name)
	case len(values) == 0:
		return nil
	case len(values) > 1:
		return fmt.Errorf("header %s is there %d times", name, len(values))
	}
	var value any = values[0]
	if types := h.schema.Types; types != nil && slices.Contains(types.ToStrings(), "integer") {
		if number, err := jsonschema.UnmarshalJSON(strings.NewReader(values[0])); err == nil {
			value = number
		}
	}
	if err := departures(h.schema.Validate(value)); err != nil {
		return fmt.Errorf("header %s: %w", name, err)
	}
	return nil
}

const csvType = "text/csv"

func isCSV(header http.Header) bool {
	mediaType, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	return err == nil && mediaType == csvType
}

func (r response) checkBody(header http.Header, body []byte) error {
	contentType := header.Get("Content-Type")
	if len(r.bodies) == 0 {
		if len(body) > 0 {
			return errors.New("the body must be empty")
		}
		return nil
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	schema, promised := r.bodies[mediaType]
	if err != nil || !promised {
		return fmt.Errorf("content type %q is not in the contract", contentType)
	}
	if schema == nil {
		return nil
	}
	if mediaType == csvType { // to a schema it is one text
		return departures(schema.Validate(string(body)))
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("the body is not one JSON value: %w", err)
	}
	if err := departures(schema.Validate(value)); err != nil {
		return err
	}
	return r.checkProblem(header, value)
}

// checkProblem holds a problem, which keeps its schema, to the examples and to
// the header that names the request.
func (r response) checkProblem(header http.Header, value any) error {
	if len(r.problem) == 0 {
		return nil
	}
	body := value.(map[string]any)
	var wrong []error
	for _, field := range slices.Sorted(maps.Keys(r.problem)) {
		if !slices.Contains(r.problem[field], fmt.Sprint(body[field])) {
			wrong = append(wrong,
				fmt.Errorf("/%s: %v, and the examples of this answer have %v", field, body[field], r.problem[field]))
		}
	}
	if id := header.Get("X-Amzn-Requestid"); body["requestId"] != id {
		wrong = append(wrong, fmt.Errorf("/requestId: %v, where header X-Amzn-Requestid is %q", body["requestId"], id))
	}
	return errors.Join(wrong...)
}

// departures is what a validation found, one error for each departure; nil
// where it found nothing.
func departures(err error) error {
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return err
	}
	printer := message.NewPrinter(language.English)
	var found []error
	for _, leaf := range leaves(invalid) {
		pointer := ""
		for _, key := range leaf.InstanceLocation {
			pointer += "/" + key
		}
		found = append(found, fmt.Errorf("%s: %s", pointer, leaf.ErrorKind.LocalizedString(printer)))
	}
	return errors.Join(found...)
}

// leaves are the departures at the ends of a validation's tree. Where a value
// may be one of several kinds (a price, a product's record), only the kind is
// told that it comes closest to: the one whose constants, such as its status,
// it misses least.
func leaves(e *jsonschema.ValidationError) []*jsonschema.ValidationError {
	if len(e.Causes) == 0 {
		return []*jsonschema.ValidationError{e}
	}
	branches := make([][]*jsonschema.ValidationError, len(e.Causes))
	for i, cause := range e.Causes {
		branches[i] = leaves(cause)
	}
	switch e.ErrorKind.(type) {
	case *kind.OneOf, *kind.AnyOf:
		return slices.MinFunc(branches,
			func(a, b []*jsonschema.ValidationError) int { return missedConstants(a) - missedConstants(b) })
	}
	return slices.Concat(branches...)
}

func missedConstants(found []*jsonschema.ValidationError) int {
	n := 0
	for _, e := range found {
		switch e.ErrorKind.(type) {
		case *kind.Const, *kind.Enum:
			n++
		}
	}
	return n
}
