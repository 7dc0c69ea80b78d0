package dynamo

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"

	"partnerview/internal/money"
	"partnerview/internal/usage"
)

// item is one row, attribute by attribute.
type item = map[string]types.AttributeValue

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func num(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

// putText sets a text attribute, and leaves it out where the text is empty.
func putText(it item, name, text string) {
	if text != "" {
		it[name] = str(text)
	}
}

func putTime(it item, name string, t time.Time) {
	if !t.IsZero() {
		it[name] = str(usage.FormatTime(t))
	}
}

func putNumber(it item, name string, n *int64) {
	if n != nil {
		it[name] = num(*n)
	}
}

func putDecimal(it item, name string, d *decimal.Decimal) {
	if d != nil {
		it[name] = str(money.Text(*d))
	}
}

func putWords[W ~string](it item, name string, words []W) {
	if len(words) == 0 {
		return
	}
	list := make([]types.AttributeValue, len(words))
	for i, w := range words {
		list[i] = str(string(w))
	}
	it[name] = &types.AttributeValueMemberL{Value: list}
}

// reader reads attributes by name and keeps the first fault, so that a decoder
// is a list of fields. An attribute that is absent reads as zero.
type reader struct {
	item item
	err  error
}

func (r *reader) fail(name, want string) {
	if r.err == nil {
		r.err = fmt.Errorf("attribute %s is not %s", name, want)
	}
}

// valueOf reads an attribute of one of DynamoDB's types; not ok: it is absent, or of
// another type, which is a fault.
func valueOf[V types.AttributeValue](r *reader, name, want string) (v V, ok bool) {
	attribute, there := r.item[name]
	if !there {
		return v, false
	}
	if v, ok = attribute.(V); !ok {
		r.fail(name, want)
	}
	return v, ok
}

func (r *reader) text(name string) string {
	if v, ok := valueOf[*types.AttributeValueMemberS](r, name, "a text"); ok {
		return v.Value
	}
	return ""
}

// required reads a text that must be there.
func (r *reader) required(name string) string {
	s := r.text(name)
	if s == "" {
		r.fail(name, "there")
	}
	return s
}

func (r *reader) bytes(name string) []byte {
	if v, ok := valueOf[*types.AttributeValueMemberB](r, name, "binary"); ok {
		return v.Value
	}
	return nil
}

func (r *reader) number(name string) *int64 {
	v, ok := valueOf[*types.AttributeValueMemberN](r, name, "a number")
	if !ok {
		return nil
	}
	n, err := strconv.ParseInt(v.Value, 10, 64)
	if err != nil {
		r.fail(name, "a whole number")
		return nil
	}
	return &n
}

// time reads a text in usage.TimeLayout; absent is the zero time.
func (r *reader) time(name string) time.Time {
	s := r.text(name)
	if s == "" {
		return time.Time{}
	}
	t, err := usage.ParseTime(s)
	if err != nil {
		r.fail(name, "a time")
	}
	return t
}

func (r *reader) timeOrNil(name string) *time.Time {
	if t := r.time(name); !t.IsZero() {
		return &t
	}
	return nil
}

func (r *reader) decimal(name string) *decimal.Decimal {
	s := r.text(name)
	if s == "" {
		return nil
	}
	d, err := money.Parse(s)
	if err != nil {
		r.fail(name, "a decimal")
		return nil
	}
	return &d
}

func (r *reader) words(name string) []string {
	list, ok := valueOf[*types.AttributeValueMemberL](r, name, "a list")
	if !ok {
		return nil
	}
	words := make([]string, len(list.Value))
	for i, v := range list.Value {
		s, ok := v.(*types.AttributeValueMemberS)
		if !ok {
			r.fail(name, "a list of texts")
			return nil
		}
		words[i] = s.Value
	}
	return words
}

// document reads the attributes within an attribute; nil: there is none.
func (r *reader) document(name string) *reader {
	v, ok := valueOf[*types.AttributeValueMemberM](r, name, "a document")
	if !ok {
		return nil
	}
	return &reader{item: v.Value}
}

func (r *reader) products(name string) []usage.Product {
	var ps []usage.Product
	for _, w := range r.words(name) {
		p, err := usage.ParseProduct(w)
		if err != nil {
			r.fail(name, "a list of products")
			return nil
		}
		ps = append(ps, p)
	}
	return ps
}

// projection is the attributes that a call reads, as an expression. Each name
// has a placeholder, since DynamoDB reserves words such as "name" and "from".
type projection struct {
	expression string
	names      map[string]string
}

func project(attributes ...string) projection {
	names := make(map[string]string, len(attributes))
	for _, a := range attributes {
		names["#"+a] = a
	}
	return projection{expression: "#" + strings.Join(attributes, ",#"), names: names}
}

// naming has a placeholder for one more attribute, which a condition names and no
// answer needs: whoever asked knows it.
func (p projection) naming(attribute string) projection {
	names := maps.Clone(p.names)
	names["#"+attribute] = attribute
	return projection{p.expression, names}
}
