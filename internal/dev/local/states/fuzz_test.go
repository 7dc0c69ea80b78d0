package states

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// A definition is read whole or refused; a path that is read leads somewhere or nowhere, in
// whatever document.
//
//fuzz:reaches definition.go:Parse definition.go:readState choice.go:readVariable choice.go:readComparison
func FuzzDefinition(f *testing.F) {
	paths, err := filepath.Glob("testdata/cases/*.json")
	if err != nil || len(paths) < 5 {
		f.Fatalf("%d cases, %v", len(paths), err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		var c testCase
		if err := json.Unmarshal(text, &c); err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(c.Definition))
	}
	for _, seed := range []string{
		`{}`, `{"StartAt":"A","States":{"A":{"Type":"Parallel"}}}`, `{"StartAt":"A","States":{"A":{"Type":"Choice","Choices":[{"Variable":"$.x","NumericEquals":"1","Next":"A"}]}}}`,
		`{"StartAt":"A","States":{"A":{"Type":"Choice","Choices":[{"And":[{"Not":{"Variable":"x","IsPresent":true}}],"Next":"B"}]}}}`, `{"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":-1,"End":true}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, definition []byte) {
		m, err := Parse(definition)
		if (m == nil) == (err == nil) {
			t.Fatalf("%s is read as %v, %v", definition, m, err)
		}
		if err == nil && m.states[m.startAt] == nil {
			t.Fatalf("%s begins nowhere", definition)
		}
	})
}

//fuzz:reaches path.go:parsePath path.go:get
func FuzzPath(f *testing.F) {
	for _, seed := range []string{"$", "$.a", "$$.Execution.Id", "$['b c'][0].d", "$.a[999999999]", "$..a", "$.a[-1]", "a", "$.é"} {
		f.Add(seed, `{"a":[1,{"b":null}],"b c":[{"d":"x"}]}`)
	}
	f.Fuzz(func(t *testing.T, text, input string) {
		var data any
		if json.Unmarshal([]byte(input), &data) != nil {
			return
		}
		p, err := parsePath(text)
		if err != nil {
			return
		}
		if p.text != text {
			t.Fatalf("the path %q is kept as %q", text, p.text)
		}
		p.get(document{data: data, context: data})
	})
}
