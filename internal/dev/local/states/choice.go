package states

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// rule is one choice, or a part of one: a comparison of what Variable leads to, or And, Or
// or Not of others. Next stands at the top alone.
type rule struct {
	Next    string
	Comment string
	And, Or []rule
	Not     *rule

	variable *path
	name     string // of the comparison: "StringEquals"
	operand  any
}

// comparisons are those that are read, with what each needs its operand to be.
var comparisons = map[string]func(operand any) bool{
	"StringEquals": isText, "StringLessThan": isText, "StringGreaterThan": isText,
	"StringLessThanEquals": isText, "StringGreaterThanEquals": isText,
	"NumericEquals": isNumber, "NumericLessThan": isNumber, "NumericGreaterThan": isNumber,
	"NumericLessThanEquals": isNumber, "NumericGreaterThanEquals": isNumber,
	"BooleanEquals": isBool, "IsPresent": isBool, "IsNull": isBool, "IsString": isBool, "IsNumeric": isBool,
	"IsBoolean": isBool,
}

func isText(v any) bool   { _, is := v.(string); return is }
func isNumber(v any) bool { _, is := v.(json.Number); return is }
func isBool(v any) bool   { _, is := v.(bool); return is }

func (r *rule) UnmarshalJSON(text []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return err
	}
	kinds := 0
	for name, of := range fields {
		var err error
		switch name {
		case "Next":
			err = json.Unmarshal(of, &r.Next)
		case "Comment":
			err = json.Unmarshal(of, &r.Comment)
		case "Variable":
			err = r.readVariable(of)
		case "And":
			kinds++
			err = json.Unmarshal(of, &r.And)
		case "Or":
			kinds++
			err = json.Unmarshal(of, &r.Or)
		case "Not":
			kinds++
			err = json.Unmarshal(of, &r.Not)
		default:
			kinds++
			err = r.readComparison(name, of)
		}
		if err != nil {
			return err
		}
	}
	empty := r.And != nil && len(r.And) == 0 || r.Or != nil && len(r.Or) == 0
	if kinds != 1 || empty || (r.name != "") != (r.variable != nil) {
		return errors.New("a choice is one comparison of a Variable, or one And, Or or Not")
	}
	return nil
}

func (r *rule) readVariable(text []byte) error {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	p, err := parsePath(s)
	r.variable = &p
	return err
}

func (r *rule) readComparison(name string, text []byte) (err error) {
	fits, known := comparisons[name]
	if !known {
		return fmt.Errorf("the comparison %s is not read", name)
	}
	if r.operand, err = decode(text); err != nil {
		return err
	}
	if !fits(r.operand) {
		return fmt.Errorf("%s: %s is not what it compares with", name, text)
	}
	r.name = name
	return nil
}

// nested are the parts of a rule.
func (r *rule) nested() []rule {
	all := slices.Concat(r.And, r.Or)
	if r.Not != nil {
		all = append(all, *r.Not)
	}
	return all
}

// holds reports whether the rule is true. A variable that leads nowhere ends the
// execution, but for IsPresent.
func (r *rule) holds(in document) (bool, *Failure) {
	switch {
	case r.Not != nil:
		holds, failed := r.Not.holds(in)
		return !holds, failed
	case r.And != nil:
		for i := range r.And {
			if holds, failed := r.And[i].holds(in); !holds || failed != nil {
				return false, failed
			}
		}
		return true, nil
	case r.Or != nil:
		for i := range r.Or {
			if holds, failed := r.Or[i].holds(in); holds || failed != nil {
				return holds, failed
			}
		}
		return false, nil
	}
	v, present := r.variable.get(in)
	if r.name == "IsPresent" {
		return present == r.operand.(bool), nil
	}
	if !present {
		return false, runtimeFailure("Invalid path '%s': the choice's variable leads nowhere", r.variable.text)
	}
	return r.compare(v), nil
}

// compare holds a value against the operand. Of another kind than the operand is, a value
// is not equal, nor less, nor greater.
func (r *rule) compare(v any) bool {
	switch r.name {
	case "IsNull":
		return (v == nil) == r.operand.(bool)
	case "IsString":
		return isText(v) == r.operand.(bool)
	case "IsNumeric":
		return isNumber(v) == r.operand.(bool)
	case "IsBoolean":
		return isBool(v) == r.operand.(bool)
	case "BooleanEquals":
		return v == r.operand
	}
	if of, isText := strings.CutPrefix(r.name, "String"); isText {
		text, is := v.(string)
		return is && ordered(of, strings.Compare(text, r.operand.(string)))
	}
	number, is := v.(json.Number)
	if !is {
		return false
	}
	left, err := number.Float64()
	right, operandErr := r.operand.(json.Number).Float64()
	if errors.Join(err, operandErr) != nil {
		return false
	}
	return ordered(strings.TrimPrefix(r.name, "Numeric"), compareNumbers(left, right))
}

func compareNumbers(left, right float64) int {
	switch {
	case left < right:
		return -1
	case left > right:
		return 1
	}
	return 0
}

// ordered reports whether an order of two values is what a comparison asks for.
func ordered(comparison string, order int) bool {
	switch comparison {
	case "Equals":
		return order == 0
	case "LessThan":
		return order < 0
	case "GreaterThan":
		return order > 0
	case "LessThanEquals":
		return order <= 0
	}
	return order >= 0 // GreaterThanEquals
}
