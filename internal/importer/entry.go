package importer

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"partnerview/internal/money"
	"partnerview/internal/usage"
)

// entry is an object of a directory file whose keys are read. What is wrong with
// them goes to the checklist; the reader goes on with an empty value.
type entry struct {
	list    *checklist
	node    *node
	path    string
	members map[string]member
}

// object opens a node that must be an object with no other keys than these, none
// of them twice.
func (c *checklist) object(n *node, path string, keys ...string) (entry, bool) {
	e := entry{list: c, node: n, path: path, members: make(map[string]member, len(n.members))}
	if n.kind != isObject {
		c.fail(n.line, path, "must be an object, not %s", n.kind)
		return e, false
	}
	for _, m := range n.members {
		first, twice := e.members[m.name]
		switch {
		case !slices.Contains(keys, m.name):
			detail := "unknown key"
			if meant := nearest(m.name, keys); meant != "" {
				detail += "; did you mean " + meant + "?"
			}
			c.fail(m.line, e.at(keyText(m.name)), "%s", detail)
		case twice:
			c.fail(m.line, e.at(m.name), "is there twice, first on line %d", first.line)
		default:
			e.members[m.name] = m
		}
	}
	return e, true
}

// at is the path of a key.
func (e entry) at(key string) string { return strings.TrimPrefix(e.path+"."+key, ".") }

// keyText is an unknown key as a path has it: in quotes if it is more than a word.
func keyText(key string) string {
	if isTellable(key, maxFieldName) && !strings.ContainsAny(key, ".:") {
		return key
	}
	return shown(key)
}

// need finds the fault that a key is left out.
func (e entry) need(key string) {
	if _, there := e.members[key]; !there {
		e.list.fail(e.node.line, e.at(key), "is missing")
	}
}

// scalar reads a key that may be left out. A number is taken as it is written, so
// that 0.10 is exactly that, and 01234 keeps its zero.
func scalar[T any](e entry, key string, parse func(string) (T, error)) Field[T] {
	m, there := e.members[key]
	if !there {
		return Field[T]{}
	}
	return Field[T]{m.line, item(e.list, m.value, e.at(key), parse)}
}

// needed reads a key that must be there.
func needed[T any](e entry, key string, parse func(string) (T, error)) Field[T] {
	e.need(key)
	return scalar(e, key, parse)
}

// nullable reads a key that may be left out, or null.
func nullable[T any](e entry, key string, parse func(string) (T, error)) Field[*T] {
	if m, there := e.members[key]; there && m.value.kind == isNull {
		return Field[*T]{Line: m.line}
	}
	f := scalar(e, key, parse)
	if !f.IsSet() {
		return Field[*T]{}
	}
	return Field[*T]{f.Line, &f.Value}
}

// item reads one value.
func item[T any](c *checklist, n *node, path string, parse func(string) (T, error)) (value T) {
	switch n.kind {
	case isText, isNumber:
		v, err := parse(n.text)
		if err != nil {
			c.fail(n.line, path, "%s", err)
			return value
		}
		return v
	case isTruth:
		c.fail(n.line, path, "must be text, not %s: put it in quotes", n.kind)
	case isNull:
		c.fail(n.line, path, "must not be null: leave the key out, or give it a value")
	case isAlias:
		c.fail(n.line, path, "must be text, not %s: write it out", n.kind)
	default:
		c.fail(n.line, path, "must be text, not %s", n.kind)
	}
	return value
}

// listOf reads a key that may be left out, and is a list else. An empty list is
// set, and not nil.
func listOf[T any](e entry, key string, parse func(*checklist, *node, string) T) Field[[]T] {
	m, there := e.members[key]
	switch {
	case !there:
		return Field[[]T]{}
	case m.value.kind == isNull:
		e.list.fail(m.line, e.at(key), "must not be null: leave the key out, or write a list")
	case m.value.kind != isList:
		e.list.fail(m.value.line, e.at(key), "must be a list, not %s", m.value.kind)
	}
	f := Field[[]T]{m.line, make([]T, 0, len(m.value.items))}
	for i, n := range m.value.items {
		f.Value = append(f.Value, parse(e.list, n, fmt.Sprintf("%s[%d]", e.at(key), i)))
	}
	return f
}

// products reads a list of at least one product, none of them twice.
func products(e entry) Field[[]usage.Product] {
	f := listOf(e, "products", func(c *checklist, n *node, path string) usage.Product {
		return item(c, n, path, parseProduct)
	})
	if m := e.members["products"]; f.IsSet() && m.value.kind == isList && len(f.Value) == 0 {
		e.list.fail(f.Line, e.at("products"), "must not be empty")
	}
	given := lineBook[usage.Product]{}
	for i, p := range f.Value {
		given.once(e.list, p, e.members["products"].value.items[i].line, fmt.Sprintf("%s[%d]", e.at("products"), i))
	}
	slices.SortFunc(f.Value, func(a, b usage.Product) int {
		return slices.Index(usage.Products(), a) - slices.Index(usage.Products(), b)
	})
	return f
}

// lineOf is where a path below the node stands, or the last part of it that is
// there.
func (n *node) lineOf(path string) int {
	for _, part := range strings.FieldsFunc(path, func(r rune) bool { return strings.ContainsRune(".[]", r) }) {
		next := n.child(part)
		if next == nil {
			break
		}
		n = next
	}
	return n.line
}

func (n *node) child(name string) *node {
	if i, err := strconv.Atoi(name); err == nil && n.kind == isList && i < len(n.items) {
		return n.items[i]
	}
	for _, m := range n.members {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// checked makes the errors of a parser that does not quote what it read do so.
func checked[T any](parse func(string) (T, error)) func(string) (T, error) {
	return func(text string) (T, error) {
		v, err := parse(text)
		if err != nil {
			err = fmt.Errorf("%s: %w", shown(text), err)
		}
		return v, err
	}
}

func parseProduct(text string) (usage.Product, error) { return checked(usage.ParseProduct)(text) }

// notEmpty takes any text but none.
func notEmpty[T ~string](text string) (T, error) {
	if text == "" {
		return "", errors.New("must not be empty")
	}
	return T(text), nil
}

func oneOf[T ~string](words ...T) func(string) (T, error) {
	return func(text string) (T, error) {
		if i := slices.Index(words, T(text)); i >= 0 {
			return words[i], nil
		}
		names := make([]string, len(words))
		for i, w := range words {
			names[i] = string(w)
		}
		return "", fmt.Errorf("%s must be %s", shown(text), strings.Join(names, " or "))
	}
}

func currencyCode(text string) (money.Currency, error) {
	code, err := money.ParseCurrency(text)
	if err != nil || !code.IsInUse() {
		return "", fmt.Errorf("%s is not an ISO 4217 code", shown(text))
	}
	return code, nil
}

func notNegative(text string) (decimal.Decimal, error) {
	d, err := money.Parse(text)
	if err == nil && d.IsNegative() {
		err = errors.New("must not be negative")
	}
	return d, err
}

func wholeNumber[T int32 | int64](text string) (T, error) {
	n, err := strconv.ParseInt(withoutZeroFraction(text), 10, 64)
	if err != nil || int64(T(n)) != n {
		return 0, fmt.Errorf("%s is not a whole number, or too large a one", shown(text))
	}
	return T(n), nil
}

const maxName = 200

// parseName reads the name of a partner, a customer or a sub-account.
func parseName(text string) (string, error) {
	switch n := utf8.RuneCountInString(text); {
	case strings.TrimSpace(text) == "":
		return "", errors.New("must not be empty")
	case n > maxName:
		return "", fmt.Errorf("has %d characters; at most %d are taken", n, maxName)
	case strings.ContainsFunc(text, unicode.IsControl):
		return "", errors.New("must not hold control characters such as line ends")
	}
	return text, nil
}
