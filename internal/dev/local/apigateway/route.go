package apigateway

import (
	"strings"

	"partnerview/internal/dev/template"
)

// The kinds of segments of a resource's path, the most specific first.
const (
	literal   = iota
	parameter // {accountId}
	greedy    // {proxy+}: it takes what is left
)

func kindOf(segment string) int {
	switch {
	case strings.HasSuffix(segment, "+}"):
		return greedy
	case strings.HasPrefix(segment, "{"):
		return parameter
	}
	return literal
}

// cut cuts a path into its segments. One slash at the end makes no difference.
func cut(path string) []string {
	path = strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/")
	if path == "" {
		return nil
	}
	return strings.Split(path, "/")
}

// match finds the route of a request, and the values of its parameters as they
// were sent: API Gateway leaves their escapes to the function. Of the routes
// that have the method, the most specific wins: segment by segment a text goes
// before a parameter, and that before a greedy one. A path that matches a route
// with another method may still match a greedy one with this.
func match(routes []template.Route, method, path string) (best *template.Route, parameters map[string]string) {
	sent := cut(path)
	for _, r := range routes {
		if (r.Method == method || r.Method == "ANY") && takes(r.Path, sent) && (best == nil || before(r, *best)) {
			best = &r
		}
	}
	if best == nil {
		return nil, nil
	}
	for i, s := range cut(best.Path) {
		kind, value := kindOf(s), sent[i]
		if kind == literal {
			continue
		}
		if kind == greedy {
			value = strings.Join(sent[i:], "/")
		}
		if parameters == nil {
			parameters = make(map[string]string)
		}
		parameters[strings.Trim(s, "{+}")] = value
	}
	return best, parameters
}

// takes reports whether a route's path takes the segments of a request's.
func takes(path string, sent []string) bool {
	segments := cut(path)
	for i, s := range segments {
		kind := kindOf(s)
		switch {
		case i >= len(sent):
			return false
		case kind == greedy:
			return true
		case kind == parameter && sent[i] == "", kind == literal && sent[i] != s:
			return false
		}
	}
	return len(sent) == len(segments)
}

// before reports whether a is more specific than b, where both take a path.
func before(a, b template.Route) bool {
	ofA, ofB := cut(a.Path), cut(b.Path)
	for i := range min(len(ofA), len(ofB)) {
		if x, y := kindOf(ofA[i]), kindOf(ofB[i]); x != y {
			return x < y
		}
	}
	return a.Method != "ANY" && b.Method == "ANY"
}
