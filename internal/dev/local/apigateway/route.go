package apigateway

import (
	"strings"

	"partnerview/internal/dev/template"
)

// route is a route of the template, with its path cut into segments.
type route struct {
	template.Route
	segments []segment
}

// segment is a part of a resource's path: a text, a parameter {accountId}, or a
// greedy one {proxy+} that takes what is left.
type segment struct {
	text      string // of a text; else the parameter's name
	parameter bool
	greedy    bool
}

func newRoute(r template.Route) route {
	made := route{Route: r}
	for _, s := range cut(r.Path) {
		name, isParameter := strings.CutPrefix(s, "{")
		if !isParameter {
			made.segments = append(made.segments, segment{text: s})
			continue
		}
		name, greedy := strings.CutSuffix(strings.TrimSuffix(name, "}"), "+")
		made.segments = append(made.segments, segment{text: name, parameter: true, greedy: greedy})
	}
	return made
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
func match(routes []route, method, path string) (*route, map[string]string) {
	sent := cut(path)
	var best *route
	for i := range routes {
		r := &routes[i]
		if (r.Method == method || r.Method == "ANY") && r.takes(sent) && (best == nil || r.before(best)) {
			best = r
		}
	}
	if best == nil {
		return nil, nil
	}
	var parameters map[string]string
	for i, s := range best.segments {
		if !s.parameter {
			continue
		}
		if parameters == nil {
			parameters = make(map[string]string)
		}
		parameters[s.text] = sent[i]
		if s.greedy {
			parameters[s.text] = strings.Join(sent[i:], "/")
		}
	}
	return best, parameters
}

func (r *route) takes(sent []string) bool {
	for i, s := range r.segments {
		switch {
		case i >= len(sent):
			return false
		case s.greedy:
			return true
		case s.parameter && sent[i] == "", !s.parameter && sent[i] != s.text:
			return false
		}
	}
	return len(sent) == len(r.segments)
}

// before reports whether r is more specific than other, where both take a path.
func (r *route) before(other *route) bool {
	for i := range min(len(r.segments), len(other.segments)) {
		if a, b := r.segments[i].rank(), other.segments[i].rank(); a != b {
			return a < b
		}
	}
	return r.Method != "ANY" && other.Method == "ANY"
}

func (s segment) rank() int {
	switch {
	case s.greedy:
		return 2
	case s.parameter:
		return 1
	}
	return 0
}
