package importer

import (
	"io"
	"slices"

	"partnerview/internal/usage"
)

// nativeField is a field of the native format.
type nativeField struct {
	name     string
	products []usage.Product // whose records have it: of others it is dropped
	// read reads the value, as JSON; nil: it is absent or null. Without it, the field is
	// read before all others, or never kept.
	read func(b *recordBuilder, field string, value []byte)
}

// nativeFields are all fields, in the order in which they are read.
func nativeFields() []nativeField {
	all, none := usage.Products(), []usage.Product(nil)
	text := func(read func(b *recordBuilder, field, text string)) func(*recordBuilder, string, []byte) {
		return func(b *recordBuilder, field string, value []byte) { read(b, field, b.jsonText(field, value)) }
	}
	count := func(most int64, of func(*usage.Record) **int64) func(*recordBuilder, string, []byte) {
		return func(b *recordBuilder, field string, value []byte) {
			*of(&b.record) = b.count(field, string(value), most)
		}
	}
	return []nativeField{
		{"accountId", all, nil},
		{"product", all, nil},
		{"from", all, nil},
		{"to", all, nil},
		{"id", all, text((*recordBuilder).id)},
		{"timestamp", all,
			text(func(b *recordBuilder, field, text string) { b.timestamp(field, text, usage.ParseTime) })},
		{"direction", all, text((*recordBuilder).direction)},
		{"status", all, text((*recordBuilder).status)},
		{"statusAt", all, text(func(b *recordBuilder, field, text string) {
			b.record.StatusAt = b.time(field, text, usage.ParseTime)
		})},
		{"country", all, text((*recordBuilder).country)},
		{"operator", []usage.Product{usage.SMS, usage.Voice}, text((*recordBuilder).operator)},
		{"errorCode", all, text((*recordBuilder).errorCode)},
		{"segments", []usage.Product{usage.SMS},
			count(usage.MaxSegments, func(r *usage.Record) **int64 { return &r.Segments })},
		{"durationSeconds", []usage.Product{usage.Voice, usage.Video},
			count(usage.MaxDurationSeconds, func(r *usage.Record) **int64 { return &r.DurationSeconds })},
		{"participants", []usage.Product{usage.Video},
			count(usage.MaxParticipants, func(r *usage.Record) **int64 { return &r.Participants })},
		{"participantSeconds", []usage.Product{usage.Video},
			func(b *recordBuilder, field string, value []byte) { b.participantSeconds(field, string(value)) }},
		{"channel", []usage.Product{usage.Messaging}, text((*recordBuilder).channel)},
		{"category", []usage.Product{usage.Messaging}, text((*recordBuilder).category)},
		{recordedPriceField, all, nil},
		{"contactName", none, nil},
		{"content", none, nil},
	}
}

// nativeRows reads NDJSON of the native fields.
type nativeRows struct {
	objects
	recordBuilder
	fields []nativeField
	index  map[string]int // of a field by its name
	values [][]byte       // of the fields on the line at hand, as JSON; nil: absent or null
	seen   []bool
	names  fieldNames // of unknown fields
}

func openNative(text io.Reader, o Options) *nativeRows {
	n := &nativeRows{objects: objects{lines: newLines(text)}, recordBuilder: newRecordBuilder(o),
		fields: nativeFields(), index: map[string]int{}, names: fieldNames{}}
	for i, f := range n.fields {
		n.index[f.name] = i
	}
	n.values, n.seen = make([][]byte, len(n.fields)), make([]bool, len(n.fields))
	return n
}

func (n *nativeRows) row(number int) Row {
	n.begin()
	n.collect()
	b, r := &n.recordBuilder, &n.record
	r.From, r.To = b.jsonNumber("from", n.value("from")), b.jsonNumber("to", n.value("to"))
	for text := range textsIn(n.value("contactName")) {
		b.numbers.Add(text)
	}
	b.owner("accountId", b.jsonText("accountId", n.value("accountId")))
	b.product("product", b.jsonText("product", n.value("product")))
	for i, f := range n.fields {
		if n.values[i] != nil && !isKeptFor(f, r.Product) {
			b.drop(f.name)
			n.values[i] = nil
		}
	}
	for i, f := range n.fields {
		if f.read != nil {
			f.read(b, f.name, n.values[i])
		}
	}
	if r.ParticipantSeconds == nil && r.Participants != nil && r.DurationSeconds != nil {
		seconds := *r.Participants * *r.DurationSeconds
		r.ParticipantSeconds = &seconds
	}
	n.price()
	return b.row(number)
}

// isKeptFor reports whether records of a product have the field. Of none that is known,
// they have what all have.
func isKeptFor(f nativeField, p usage.Product) bool {
	return len(f.products) == len(usage.Products()) || slices.Contains(f.products, p)
}

func (n *nativeRows) value(name string) []byte { return n.values[n.index[name]] }

// collect finds the values of the known fields, and drops the unknown.
func (n *nativeRows) collect() {
	clear(n.values)
	clear(n.seen)
	for name, value := range members(n.current) {
		i, known := n.index[string(name)]
		switch {
		case !known:
			n.drop(n.names.tell(name))
			continue
		case n.seen[i]:
			n.fail(n.fields[i].name, "is there twice")
			n.secret = true
		case string(value) != "null":
			n.values[i] = value
		}
		n.seen[i] = true
	}
}

// price reads {"amount": "0.0412", "currency": "EUR"}; the amount may also be a
// JSON number, which is taken as it is written, and null where it is unknown.
func (n *nativeRows) price() {
	const (
		amountField   = recordedPriceField + ".amount"
		currencyField = recordedPriceField + ".currency"
	)
	object := n.value(recordedPriceField)
	if object == nil {
		return
	}
	if object[0] != '{' {
		n.fail(recordedPriceField, `must be an object, as {"amount": "0.0412", "currency": "EUR"}`)
		return
	}
	parts := map[string][]byte{}
	for name, value := range members(object) {
		field := recordedPriceField + "." + string(name)
		if field != amountField && field != currencyField {
			n.drop(recordedPriceField + "." + n.names.tell(name))
			continue
		}
		if parts[field] != nil {
			n.fail(field, "is there twice")
		}
		parts[field] = value
	}
	amount, currency := n.jsonDecimal(amountField, parts[amountField]), parts[currencyField]
	switch {
	case amount == "":
	case len(currency) <= len(`""`) || currency[0] != '"':
		n.fail(currencyField, "must be an ISO 4217 code, as EUR")
	default:
		n.recordBuilder.price(amountField, amount, currencyField, unquote(currency))
	}
}
