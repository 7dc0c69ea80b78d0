package events

import (
	"encoding/json"
	"testing"
)

// A pattern is read or refused, and asks of whatever event; what a transformer makes of one is
// JSON.
//
//fuzz:reaches pattern.go:readPattern pattern.go:readMatchers pattern.go:readMatcher pattern.go:matches pattern.go:decode
//fuzz:reaches transform.go:readTransformer transform.go:input
func FuzzPattern(f *testing.F) {
	const event = `{"source":"aws.s3","detail":{"bucket":{"name":"inbox"},"object":{"key":"native/\"x\"","size":10,"list":["a",null,true]}}}`
	for _, pattern := range []string{
		`{"source":["aws.s3"],"detail":{"object":{"key":[{"prefix":"native/"},{"suffix":".csv"}]}}}`, `{"detail":{"object":{"size":[10,null,true],"none":[{"exists":false}]}}}`,
		`{"source":[{"equals-ignore-case":"AWS.S3"}]}`, `{"$or":[]}`, `{"source":[]}`, `{"source":"x"}`, `{"source":[{"prefix":1}]}`, `{"source":[{"numeric":["=",1]}]}`, `{}`, `[]`, `{"a":[{"exists":"x"}]}`,
	} {
		f.Add(pattern, event, "$.detail.object.key", `{"key":<a>,"text":"of <a> in <b>"}`)
	}
	f.Add(`{"a":[1]}`, `{"a":1}`, "$.a[0]", `<a>`)
	f.Add(`{"a":[1]}`, `{"a":1}`, "$.a", `{"x":<c>}`)
	f.Fuzz(func(t *testing.T, text, eventText, path, template string) {
		event, err := decode([]byte(eventText))
		if err != nil {
			return
		}
		if v, err := decode([]byte(text)); err == nil {
			if p, err := readPattern(v); err == nil {
				p.matches(event, true)
			}
		}
		transformer, err := readTransformer(map[string]string{"a": path, "b": "$.source"}, template)
		if err != nil {
			return
		}
		if input, err := transformer.input(event); err == nil && !json.Valid(input) {
			t.Fatalf("the input %s is no JSON", input)
		}
	})
}
