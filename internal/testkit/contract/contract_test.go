package contract

import (
	"context"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

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
	if err := doc.Validate(context.Background()); err != nil {
		t.Error(err)
	}
}

// walk calls visit with every place of the document.
func walk(n node, visit func(node)) {
	visit(n)
	switch v := n.value.(type) {
	case map[string]any:
		for _, key := range n.keys() {
			walk(node{n.pointer + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key), v[key]}, visit)
		}
	case []any:
		for i, child := range v {
			walk(node{n.pointer + "/" + strconv.Itoa(i), child}, visit)
		}
	}
}

// load is the contract, and the reader that it was read with.
func load(t *testing.T) (*Spec, *reader) {
	t.Helper()
	r, err := newReader(partnerview.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	s := r.spec()
	if r.err != nil {
		t.Fatal(r.err)
	}
	return s, r
}

func TestEveryReferenceLeadsSomewhereAndEveryComponentIsUsed(t *testing.T) {
	_, r := load(t)
	used := map[string]bool{"#/components/responses/RouteNotFound": true, "#/components/examples/RouteNotFound": true}
	walk(node{"", r.doc}, func(n node) {
		object, _ := n.value.(map[string]any)
		ref, ok := object["$ref"].(string)
		if !ok {
			return
		}
		used[ref] = true
		if r.at(strings.TrimPrefix(ref, "#")); r.err != nil {
			t.Errorf("#%s: %v", n.pointer, r.err)
			r.err = nil
		}
	})
	components := r.at("/components")
	for _, kind := range components.keys() {
		for _, name := range r.child(components, kind).keys() {
			if ref := "#/components/" + kind + "/" + name; kind != "securitySchemes" && !used[ref] {
				t.Errorf("%s is used nowhere", ref)
			}
		}
	}
}

// The answers' examples are checked as answers are, by
// TestEveryExampleAnswerKeepsTheContract.
func TestEveryExampleOfAParameterHeaderAndValueIsValid(t *testing.T) {
	s, r := load(t)
	examples := 0
	check := func(n node, schema *jsonschema.Schema, value any) {
		examples++
		if err := departures(schema.Validate(value)); err != nil {
			t.Errorf("#%s: %v", n.pointer, err)
		}
	}
	walk(node{"", r.doc}, func(n node) {
		object, _ := n.value.(map[string]any)
		if _, ok := object["schema"]; ok { // of a parameter, a header or a body
			if value, ok := object["example"]; ok {
				check(n, r.schema(n), value)
			}
			named := r.child(n, "examples")
			for _, name := range named.keys() {
				check(n, r.schema(n), r.child(r.child(named, name), "value").value)
			}
		}
		if strings.HasPrefix(n.pointer, "/components/schemas/") {
			if values, ok := object["examples"].([]any); ok {
				for _, value := range values {
					check(n, r.compile(n.pointer), value)
				}
			}
		}
	})
	if r.err != nil {
		t.Fatal(r.err)
	}
	if want := len(s.operations) * 10; examples < want {
		t.Errorf("only %d examples, want %d or more", examples, want)
	}
}

func TestEveryOperationSaysWhatItIsAndHowItFails(t *testing.T) {
	_, r := load(t)
	paths := r.at("/paths")
	for _, path := range paths.keys() {
		operation := r.child(r.child(paths, path), "get")
		for _, field := range []string{"operationId", "summary", "description"} {
			if r.child(operation, field).text() == "" {
				t.Errorf("GET %s has no %s", path, field)
			}
		}
		want := []string{"200", "429", "500", "503"}
		if r.child(operation, "security").value == nil {
			want = append(want, "400", "401")
		} else {
			want = append(want, "304") // what needs no key may be kept
		}
		if strings.Contains(path, "{") {
			want = append(want, "404")
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, r.child(operation, "responses").keys()); diff != "" {
			t.Errorf("GET %s, statuses (-want +got):\n%s", path, diff)
		}
	}
}

func TestEveryAnswerPromisesItsHeaders(t *testing.T) {
	s, _ := load(t)
	needed := map[int][]string{401: {"WWW-Authenticate"}, 429: {"Retry-After"}, 503: {"Retry-After"}}
	for _, o := range s.operations {
		for status, a := range o.answers {
			for _, name := range append(needed[status], "Cache-Control", "Strict-Transport-Security", "X-Amzn-Requestid", "X-Content-Type-Options") {
				if !a.headers[name].required {
					t.Errorf("%s %s, status %d: header %s is not promised", o.method, o.path, status, name)
				}
			}
		}
	}
}

// "Always present, null when unknown": only a rate's selectors may be absent.
func TestEveryFieldOfEveryObjectIsAlwaysPresent(t *testing.T) {
	_, r := load(t)
	objects := 0
	walk(r.at("/components/schemas"), func(n node) {
		object, _ := n.value.(map[string]any)
		if object["type"] != "object" || n.pointer == "/components/schemas/Selectors" {
			return
		}
		objects++
		var required []string
		for _, name := range r.child(n, "required").list() {
			required = append(required, name.(string))
		}
		slices.Sort(required)
		if diff := cmp.Diff(r.child(n, "properties").keys(), required); diff != "" {
			t.Errorf("#%s: properties and required differ (-properties +required):\n%s", n.pointer, diff)
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
	walk(node{"", r.doc}, func(n node) {
		object, _ := n.value.(map[string]any)
		if strings.HasPrefix(n.pointer, "/components/examples/") || object == nil {
			return
		}
		_, isConstant := object["const"]
		_, isEnum := object["enum"].([]any)
		if isConstant || isEnum {
			if constants++; object["type"] == nil {
				t.Errorf("#%s has a const or an enum and no type", n.pointer)
			}
		}
		for _, keyword := range []string{"allOf", "anyOf", "not", "if"} {
			if object[keyword] != nil {
				t.Errorf("#%s has %s, which no two generators read alike", n.pointer, keyword)
			}
		}
		if object["type"] == "null" {
			t.Errorf("#%s is null and nothing else, of which a generator makes a class that is not there", n.pointer)
		}
		if object["oneOf"] != nil {
			if choices++; object["discriminator"] == nil {
				t.Errorf("#%s has a oneOf without a discriminator", n.pointer)
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
	walk(r.at("/components/examples"), func(n node) {
		if r.child(n, "status").text() != "rated" {
			return
		}
		why := r.child(n, "explanation")
		decimal := func(n node) *big.Rat {
			d, ok := new(big.Rat).SetString(n.text())
			if !ok {
				t.Fatalf("#%s is no decimal", n.pointer)
			}
			return d
		}
		whole := func(n node, key string) int64 {
			i, err := strconv.ParseInt(r.child(n, key).value.(interface{ String() string }).String(), 10, 64)
			if err != nil {
				t.Fatalf("#%s/%s: %v", n.pointer, key, err)
			}
			return i
		}
		unit := r.child(why, "unit").text()
		units[unit] = true
		count := big.NewRat(whole(why, "quantity"), 1)
		if unit == "minute" || unit == "participant-minute" {
			first, next := whole(r.child(why, "increment"), "first"), whole(r.child(why, "increment"), "next")
			billable := first
			for billable < whole(why, "quantity") {
				billable += next
			}
			if got := whole(why, "billableSeconds"); got != billable {
				t.Errorf("#%s: billableSeconds %d, want %d", why.pointer, got, billable)
			}
			count = big.NewRat(billable, 60)
		}
		want := count.Mul(count, decimal(r.child(why, "unitPrice")))
		want.Add(want, decimal(r.child(why, "setupFee")))
		if got := decimal(r.child(n, "amount")); got.Cmp(want) != 0 {
			t.Errorf("#%s: amount %s, want %s", n.pointer, got.FloatString(9), want.FloatString(9))
		}
	})
	if got := slices.Sorted(maps.Keys(units)); len(got) != 4 {
		t.Errorf("rated examples for %v, want all four units", got)
	}
}

func TestAContractThatIsWrongDoesNotLoad(t *testing.T) {
	for _, tc := range []struct{ claim, old, new, want string }{
		{"a reference that leads nowhere", "#/components/schemas/Range'", "#/components/schemas/Rangee'", "Rangee"},
		{"an answer that leads nowhere", "#/components/responses/Internal'", "#/components/responses/Infernal'", "Infernal"},
		{"a reference to elsewhere", "'#/components/responses/Internal'", "other.yaml#/x", "outside"},
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
			if _, err := read(text); err == nil || !strings.Contains(err.Error(), tc.want) {
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
		"GET /openapi.yaml",
		"GET /customers/{accountId}",
		"GET /customers/{accountId}/usage/{product}",
		"GET /customers/{accountId}/usage/{product}/{recordId}",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("routes (-want +got):\n%s", diff)
	}
}
