package main

import (
	"fmt"
	"slices"
	"strings"

	"partnerview/internal/dev/template"
)

// compare holds the evaluator's verdicts against what each case must be and against ours. It
// counts the cases that were as they must be, by what that is.
func compare(cases []testCase, verdicts []verdict, ours rights) (faults []string, counts map[string]int) {
	counts = make(map[string]int)
	for i, c := range cases {
		said := says(verdicts[i].Allowed)
		fault := ""
		if c.must != alike && said != c.must {
			fault = fmt.Sprintf("it is %s, and must be %s", said, c.must)
		}
		for _, p := range verdicts[i].Parts {
			if len(p.Ignored) > 0 {
				fault = fmt.Sprintf("AWS's reference has no %s for %s", strings.Join(p.Ignored, ", "), p.Action)
			}
		}
		if c.Target != "" && fault == "" {
			fault = differs(c, verdicts[i], ours)
		}
		if fault != "" {
			faults = append(faults, fmt.Sprintf("%s: %s%s, %s: %s", c.Role, c.Target, c.Action, c.what, fault))
			continue
		}
		counts[c.must]++
	}
	return faults, counts
}

func says(isAllowed bool) string {
	if isAllowed {
		return allowed
	}
	return refused
}

// differs says in what ours reads or judges a request to DynamoDB differently; it is empty
// where they agree.
func differs(c testCase, v verdict, ours rights) string {
	requests, err := ours.template.Requests(c.Target, c.Body)
	if err != nil {
		return "ours does not understand it: " + err.Error()
	}
	if len(requests) != len(v.Parts) {
		return fmt.Sprintf("ours takes it for %d requests, iam-simulate for %d", len(requests), len(v.Parts))
	}
	all := true
	for i, r := range requests {
		if err := ours.byRole[c.Role].Allow(r); err != nil {
			all = false
		}
		if fault := readsOtherwise(r, v.Parts[i]); fault != "" {
			return fault
		}
	}
	if all != v.Allowed {
		return fmt.Sprintf("ours says %s, iam-simulate %s", says(all), says(v.Allowed))
	}
	return ""
}

// readsOtherwise compares what was read out of a request. Of a Scan and of what describes a
// table ours reads no attributes: where it allows those, it does so whatever they name.
func readsOtherwise(r template.Request, p part) string {
	if !strings.HasSuffix(p.Resource, resourceOf(r)) || p.Action != r.Action {
		return fmt.Sprintf("ours takes it for %s of %s, and it is %s of %s", r.Action, resourceOf(r), p.Action, p.Resource)
	}
	if r.Action == "dynamodb:Scan" {
		return ""
	}
	for key, mine := range map[string][]string{"dynamodb:Attributes": r.Attributes, "dynamodb:LeadingKeys": r.LeadingKeys,
		"dynamodb:Select": some(r.Select), "dynamodb:ReturnValues": some(r.Returns)} {
		if theirs := texts(p.Context[key]); !slices.Equal(sorted(mine), sorted(theirs)) {
			return fmt.Sprintf("ours reads %s as %q, and it is %q", key, sorted(mine), theirs)
		}
	}
	return ""
}

func resourceOf(r template.Request) string {
	if r.Index != "" {
		return "table/" + r.Table + "/index/" + r.Index
	}
	return "table/" + r.Table
}

func some(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}

func sorted(values []string) []string { return slices.Compact(slices.Sorted(slices.Values(values))) }

// texts are a value of JSON that is a text, a list of texts or nothing.
func texts(value any) (all []string) {
	switch value := value.(type) {
	case string:
		return []string{value}
	case []any:
		for _, v := range value {
			all = append(all, fmt.Sprint(v))
		}
	}
	return all
}
