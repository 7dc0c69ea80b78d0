package contract

import (
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	"partnerview"
)

func TestContractKeepsTheRulesOfOpenAPI31(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData([]byte(partnerview.OpenAPI()))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") {
		t.Errorf("openapi: %s, want 3.1", doc.OpenAPI)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Error(err)
	}
}

// objectsIn calls visit with every object in a value of an example.
func objectsIn(v any, visit func(object)) {
	switch v := v.(type) {
	case object:
		visit(v)
		for _, child := range v {
			objectsIn(child, visit)
		}
	case []any:
		for _, child := range v {
			objectsIn(child, visit)
		}
	}
}

// load is the contract, and the reader that it was read with. All tests share them.
func load(t *testing.T) (*Spec, *reader) {
	t.Helper()
	l, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	return l.spec, l.reader
}

type loadedContract struct {
	spec   *Spec
	reader *reader
}

var loaded = sync.OnceValues(func() (l loadedContract, err error) {
	if l.reader, err = read(partnerview.OpenAPI()); err == nil {
		l.spec, err = l.reader.spec()
	}
	return l, err
})

// schemas calls visit with every schema of the contract, and where it stands.
func (r *reader) schemas(t *testing.T, visit func(pointer string, s *openapi3.Schema)) {
	t.Helper()
	err := r.doc.WalkSchemas(func(pointer string, s *openapi3.SchemaRef) error {
		visit(pointer, s.Value)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// A reference that leads nowhere does not load.
func TestEveryComponentIsUsed(t *testing.T) {
	_, r := load(t)
	used := map[string]bool{"responses/RouteNotFound": true, "examples/RouteNotFound": true}
	for _, m := range regexp.MustCompile(`#/components/(\w+/\w+)'`).FindAllStringSubmatch(partnerview.OpenAPI(), -1) {
		used[m[1]] = true
	}
	c := r.doc.Components
	for kind, names := range map[string][]string{
		"schemas": slices.Collect(maps.Keys(c.Schemas)), "parameters": slices.Collect(maps.Keys(c.Parameters)),
		"headers": slices.Collect(maps.Keys(c.Headers)), "responses": slices.Collect(maps.Keys(c.Responses)),
		"examples": slices.Collect(maps.Keys(c.Examples)),
	} {
		for _, name := range names {
			if !used[kind+"/"+name] {
				t.Errorf("#/components/%s/%s is used nowhere", kind, name)
			}
		}
	}
}

// The answers' examples are checked as answers are, by
// TestEveryExampleAnswerKeepsTheContract.
func TestEveryExampleOfAParameterHeaderAndValueIsValid(t *testing.T) {
	s, r := load(t)
	examples := 0
	check := func(where string, schema *openapi3.SchemaRef, values ...any) {
		for _, value := range values {
			if value == nil {
				continue
			}
			examples++
			compiled := r.compile(schema)
			if r.faults != nil {
				t.Fatal(errors.Join(r.faults...))
			}
			if err := departures(compiled.Validate(value)); err != nil {
				t.Errorf("%s: %v", where, err)
			}
		}
	}
	parameter := func(where string, p *openapi3.Parameter) {
		check(where+" "+p.Name, p.Schema, p.Example)
		for _, e := range p.Examples {
			check(where+" "+p.Name, p.Schema, e.Value.Value)
		}
	}
	for path, item := range r.doc.Paths.Map() {
		for _, p := range slices.Concat(item.Parameters, item.Get.Parameters) {
			parameter(path, p.Value)
		}
		for status, response := range item.Get.Responses.Map() {
			for name, h := range response.Value.Headers {
				parameter(path+" "+status+" "+name, &h.Value.Parameter)
			}
		}
	}
	err := r.doc.WalkSchemas(func(pointer string, s *openapi3.SchemaRef) error {
		check("#"+pointer, s, s.Value.Examples...)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if want := len(s.operations) * 10; examples < want {
		t.Errorf("only %d examples, want %d or more", examples, want)
	}
}

func TestEveryOperationSaysWhatItIsAndHowItFails(t *testing.T) {
	_, r := load(t)
	for path, item := range r.doc.Paths.Map() {
		o := item.Get
		if o.OperationID == "" || o.Summary == "" || o.Description == "" {
			t.Errorf("GET %s lacks its operationId, its summary or its description", path)
		}
		want := []string{"200", "413", "429", "500", "503"}
		if o.Security == nil {
			want = append(want, "400", "401", "406", "414")
		} else {
			want = append(want, "304") // what needs no key may be kept
		}
		if strings.Contains(path, "{") {
			want = append(want, "404")
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, slices.Sorted(slices.Values(o.Responses.Keys()))); diff != "" {
			t.Errorf("GET %s, statuses (-want +got):\n%s", path, diff)
		}
	}
}

func TestEveryAnswerPromisesItsHeaders(t *testing.T) {
	s, _ := load(t)
	needed := map[int][]string{401: {"WWW-Authenticate"}, 429: {"Retry-After"}, 503: {"Retry-After"}}
	for _, o := range s.operations {
		for status, a := range o.responses {
			for _, name := range append(needed[status], "Cache-Control", "Strict-Transport-Security", "X-Amzn-Requestid", "X-Content-Type-Options") {
				if !a.headers[name].required {
					t.Errorf("%s %s, status %d: header %s is not promised", o.method, o.path, status, name)
				}
			}
			_, negotiates := o.responses[http.StatusNotAcceptable]
			if vary := a.headers["Vary"].required; vary != (negotiates && status == http.StatusOK || status == http.StatusNotAcceptable) {
				t.Errorf("%s %s, status %d: header Vary is promised: %v", o.method, o.path, status, vary)
			}
		}
	}
}

// "Always present, null when unknown": only a rate's selectors may be absent, and of a
// row's key what was not asked for.
func TestEveryFieldOfEveryObjectIsAlwaysPresent(t *testing.T) {
	_, r := load(t)
	objects := 0
	r.schemas(t, func(pointer string, s *openapi3.Schema) {
		open := s == r.doc.Components.Schemas["Selectors"].Value || s == r.doc.Components.Schemas["SummaryKey"].Value
		if !s.Type.Is("object") || open {
			return
		}
		objects++
		if diff := cmp.Diff(slices.Sorted(maps.Keys(s.Properties)), slices.Sorted(slices.Values(s.Required))); diff != "" {
			t.Errorf("#%s: properties and required differ (-properties +required):\n%s", pointer, diff)
		}
	})
	if objects < 15 {
		t.Errorf("only %d objects were looked at", objects)
	}
}

func TestPublishedObjectsLeaveRoomForNewFields(t *testing.T) {
	for _, keyword := range []string{"additionalProperties", "unevaluatedProperties"} {
		if strings.Contains(partnerview.OpenAPI(), keyword) {
			t.Errorf("openapi.yaml has %s: a partner's client would break when a field is added", keyword)
		}
	}
}

// Generators stumble over these: a constant without a type is anything at all to
// them, and a choice that no field tells apart is refused or guessed at.
func TestGeneratorsFindATypeEverywhereAndNoUntoldChoice(t *testing.T) {
	_, r := load(t)
	constants, choices := 0, 0
	r.schemas(t, func(pointer string, s *openapi3.Schema) {
		if s.Const != nil || s.Enum != nil {
			if constants++; s.Type.IsEmpty() {
				t.Errorf("#%s has a const or an enum and no type", pointer)
			}
		}
		if s.AllOf != nil || s.AnyOf != nil || s.Not != nil || s.If != nil {
			t.Errorf("#%s has an allOf, anyOf, not or if, which no two generators read alike", pointer)
		}
		if s.Type.Is("null") {
			t.Errorf("#%s is null and nothing else, of which a generator makes a class that is not there", pointer)
		}
		if s.OneOf != nil {
			if choices++; s.Discriminator == nil {
				t.Errorf("#%s has a oneOf without a discriminator", pointer)
			}
		}
	})
	if constants < 20 || choices < 3 {
		t.Errorf("only %d constants and %d choices were looked at", constants, choices)
	}
}

// The rated examples are worked examples: a reader recalculates them.
func TestEveryRatedExampleAddsUp(t *testing.T) {
	_, r := load(t)
	units := map[string]bool{}
	adds := func(name string, price object) {
		if price["status"] != "rated" {
			return
		}
		why := price["explanation"].(object)
		decimal := func(v any) *big.Rat {
			d, ok := new(big.Rat).SetString(fmt.Sprint(v))
			if !ok {
				t.Fatalf("%s: %v is no decimal", name, v)
			}
			return d
		}
		unit := why["unit"].(string)
		units[unit] = true
		count := decimal(why["quantity"])
		if unit == "minute" || unit == "participant-minute" {
			increment := why["increment"].(object)
			billable := decimal(increment["first"])
			for billable.Cmp(count) < 0 {
				billable.Add(billable, decimal(increment["next"]))
			}
			if got := decimal(why["billableSeconds"]); got.Cmp(billable) != 0 {
				t.Errorf("%s: billableSeconds %s, want %s", name, got, billable)
			}
			count = billable.Quo(billable, big.NewRat(60, 1))
		}
		want := count.Mul(count, decimal(why["unitPrice"]))
		want.Add(want, decimal(why["setupFee"]))
		if got := decimal(price["amount"]); got.Cmp(want) != 0 {
			t.Errorf("%s: amount %s, want %s", name, got.FloatString(9), want.FloatString(9))
		}
	}
	for name, example := range r.doc.Components.Examples {
		objectsIn(example.Value.Value, func(o object) { adds(name, o) })
	}
	if got := slices.Sorted(maps.Keys(units)); len(got) != 4 {
		t.Errorf("rated examples for %v, want all four units", got)
	}
}

func TestAContractThatIsWrongDoesNotLoad(t *testing.T) {
	for _, tc := range []struct{ claim, old, new, want string }{
		{"a reference that leads nowhere", "#/components/schemas/Range'", "#/components/schemas/Rangee'", "Rangee"},
		{"an answer that leads nowhere", "#/components/responses/Internal'", "#/components/responses/Infernal'", "Infernal"},
		{"a reference to elsewhere", "'#/components/responses/Internal'", "other.yaml#/x", "disallowed external reference"},
		{"a type that is none", "type: [integer, 'null'], minimum: 0, description: How many took part", "type: [integr, 'null'], minimum: 0, description: How many took part", "participants/type"},
		{"a pattern that is none", `'^[A-Z]{3}$'`, `'^([A-Z]{3}$'`, "pattern"},
		{"a range of statuses", "'503': {", "'5XX': {", "5XX"},
		{"a tab in YAML", "\n      required: [data, range, nextCursor]", "\n\trequired: [data, range, nextCursor]", "openapi.yaml"},
	} {
		t.Run(tc.claim, func(t *testing.T) {
			text := strings.ReplaceAll(partnerview.OpenAPI(), tc.old, tc.new)
			if text == partnerview.OpenAPI() {
				t.Fatalf("%q is not in openapi.yaml", tc.old)
			}
			r, err := read(text)
			if err == nil {
				_, err = r.spec()
			}
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("read: %v, want an error about %s", err, tc.want)
			}
		})
	}
}

func TestRoutesAreThoseOfTheContract(t *testing.T) {
	s, _ := load(t)
	var got []string
	for _, r := range s.Routes() {
		got = append(got, r.Pattern)
	}
	want := []string{
		"GET /customers",
		"GET /me",
		"GET /openapi.yaml",
		"GET /summary",
		"GET /customers/{accountId}",
		"GET /customers/{accountId}/summary",
		"GET /customers/{accountId}/usage",
		"GET /customers/{accountId}/usage/{product}",
		"GET /customers/{accountId}/usage/{product}/{recordId}",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("routes (-want +got):\n%s", diff)
	}
}
