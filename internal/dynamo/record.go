package dynamo

import (
	"slices"
	"strings"
	"time"

	"partnerview/internal/masking"
	"partnerview/internal/money"
	"partnerview/internal/usage"
)

// recordField is a field of a usage record as it is stored. What a call asks for,
// how an item is written and how it is read all follow from recordFields, so that
// a new field is one entry there; the functions' policies in template.yaml name
// the attributes that each may read once more, on purpose.
type recordField struct {
	attributes []string        // mostly one; each is absent where the record has no value
	products   []usage.Product // whose records have the field; nil: all
	outcome    bool            // part of the outcome: a receipt changes it
	private    bool            // for imports: no function may read it
	put        func(item, *usage.Version)
	read       func(*reader, *usage.Version)
}

// recordFields are the fields of a record beside its keys, in the order in which
// they are asked for.
var recordFields = []recordField{
	textField("direction", func(v *usage.Version) *usage.Direction { return &v.Direction }),
	textField("status", func(v *usage.Version) *usage.Status { return &v.Status }).ofOutcome(),
	timeField("statusAt", func(v *usage.Version) **time.Time { return &v.StatusAt }).ofOutcome(),
	textField("errorCode", func(v *usage.Version) *string { return &v.ErrorCode }).ofOutcome(),
	numberField("from", func(v *usage.Version) *masking.Number { return &v.From }),
	numberField("to", func(v *usage.Version) *masking.Number { return &v.To }),
	textField("country", func(v *usage.Version) *usage.Country { return &v.Country }),
	operatorField,
	countField("segments", usage.MaxSegments, func(v *usage.Version) **int64 { return &v.Segments }, usage.SMS),
	countField("durationSeconds", usage.MaxDurationSeconds,
		func(v *usage.Version) **int64 { return &v.DurationSeconds }, usage.Voice, usage.Video),
	countField("participants", usage.MaxParticipants,
		func(v *usage.Version) **int64 { return &v.Participants }, usage.Video),
	participantSecondsField,
	textField("channel", func(v *usage.Version) *usage.Channel { return &v.Channel }, usage.Messaging),
	textField("category", func(v *usage.Version) *usage.Category { return &v.Category }, usage.Messaging),
	{attributes: []string{"recordedAmount", "recordedCurrency"}, outcome: true, // "0.0412", "EUR"
		put: func(it item, v *usage.Version) {
			if p := v.RecordedPrice; p != nil {
				it["recordedAmount"], it["recordedCurrency"] = str(money.Text(p.Amount)), str(string(p.Currency))
			}
		},
		read: func(r *reader, v *usage.Version) {
			if amount := r.decimal("recordedAmount"); amount != nil && usage.MayCost(*amount) {
				v.RecordedPrice = &money.Money{Amount: *amount,
					Currency: money.Currency(r.required("recordedCurrency"))}
			}
		}},
	// Mostly the price was told with the status. The time is kept only where it was
	// not; the year 1 stands for none.
	{attributes: []string{"priceAt"}, outcome: true, private: true,
		put: func(it item, v *usage.Version) {
			switch {
			case v.PriceAt == nil && v.StatusAt == nil, v.PriceAt != nil && v.StatusAt != nil &&
				v.PriceAt.Equal(*v.StatusAt):
			case v.PriceAt == nil:
				it["priceAt"] = str(usage.FormatTime(time.Time{}))
			default:
				it["priceAt"] = str(usage.FormatTime(*v.PriceAt))
			}
		},
		read: func(r *reader, v *usage.Version) {
			v.PriceAt = v.StatusAt
			if _, apart := r.item["priceAt"]; apart {
				v.PriceAt = r.timeOrNil("priceAt")
			}
		}},
	{attributes: []string{"expiresAt"}, // seconds since 1970; DynamoDB's TTL. Not shown from then on
		put: func(it item, v *usage.Version) {
			if !v.ExpiresAt.IsZero() {
				it["expiresAt"] = num(v.ExpiresAt.Unix())
			}
		},
		read: func(r *reader, v *usage.Version) {
			if end := r.number("expiresAt"); end != nil {
				v.ExpiresAt = time.Unix(*end, 0).UTC()
			}
		}},
}

// textField is a text (S) in letters and digits of ASCII, and signs that join them. One that
// may be a telephone number, or a piece of one, is not read, nor one in other characters, in
// which a number could be spelt: what another pipeline wrote unmasked does not pass.
func textField[T ~string](name string, of func(*usage.Version) *T, products ...usage.Product) recordField {
	return recordField{attributes: []string{name}, products: products,
		put: func(it item, v *usage.Version) { putText(it, name, string(*of(v))) },
		read: func(r *reader, v *usage.Version) {
			if text := r.text(name); strings.Trim(text, joinedWords) == "" && !masking.TellsDigits(text) {
				*of(v) = T(text)
			}
		},
	}
}

// joinedWords is what the texts of records consist of, as imports take them.
const joinedWords = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"

// operatorField is a text (S) of five or six digits: one that no network can have is not
// read.
var operatorField = recordField{
	attributes: []string{"operator"}, products: []usage.Product{usage.SMS, usage.Voice},
	put: func(it item, v *usage.Version) { putText(it, "operator", string(v.Operator)) },
	read: func(r *reader, v *usage.Version) {
		if operator := usage.Operator(r.text("operator")); operator != "" && operator.Check() == nil {
			v.Operator = operator
		}
	},
}

// timeField is a time (S), in usage.TimeLayout.
func timeField(name string, of func(*usage.Version) **time.Time) recordField {
	return recordField{attributes: []string{name},
		put: func(it item, v *usage.Version) {
			if t := *of(v); t != nil {
				putTime(it, name, *t)
			}
		},
		read: func(r *reader, v *usage.Version) { *of(v) = r.timeOrNil(name) },
	}
}

// numberField is a telephone number (S). It is masked before it is written, and again
// when it is read, so that what another pipeline wrote unmasked does not pass.
func numberField(name string, of func(*usage.Version) *masking.Number) recordField {
	return recordField{attributes: []string{name},
		put:  func(it item, v *usage.Version) { putText(it, name, of(v).String()) },
		read: func(r *reader, v *usage.Version) { *of(v) = masking.Mask(r.text(name)) },
	}
}

// countField is a whole number (N). One that is larger than it can be is not read: it may be
// a telephone number.
func countField(name string, most int64, of func(*usage.Version) **int64, products ...usage.Product) recordField {
	return recordField{attributes: []string{name}, products: products,
		put:  func(it item, v *usage.Version) { putNumber(it, name, *of(v)) },
		read: func(r *reader, v *usage.Version) { *of(v) = r.numberUpTo(name, most) },
	}
}

// participantSecondsField comes behind what it is bounded by.
var participantSecondsField = recordField{
	attributes: []string{"participantSeconds"}, products: []usage.Product{usage.Video},
	put: func(it item, v *usage.Version) { putNumber(it, "participantSeconds", v.ParticipantSeconds) },
	read: func(r *reader, v *usage.Version) {
		most := usage.MaxParticipantSeconds(v.Participants, v.DurationSeconds)
		v.ParticipantSeconds = r.numberUpTo("participantSeconds", most)
	},
}

// numberUpTo reads a whole number; nil: there is none, or a larger one.
func (r *reader) numberUpTo(name string, most int64) *int64 {
	if n := r.number(name); n != nil && *n <= most {
		return n
	}
	return nil
}

func (f recordField) ofOutcome() recordField {
	f.outcome = true
	return f
}

// What is asked for of a record.
var (
	recordKeyAttributes = project("byId", "at", "log") // of the index ById
	recordAttributes    = projectRecord([]string{"at"}, func(f recordField) bool { return !f.private })
	loggedAttributes    = recordAttributes.naming("log") // of a page of a log
	storedAttributes    = projectRecord([]string{"log", "at", "byId"}, func(recordField) bool { return true })
	outcomeAttributes   = projectRecord([]string{"log", "at"}, isOutcome)
)

func isOutcome(f recordField) bool { return f.outcome }

func projectRecord(keys []string, wanted func(recordField) bool, more ...string) projection {
	return project(slices.Concat(keys, recordNames(wanted), more)...)
}

// recordNames are the names of the attributes of some of a record's fields.
func recordNames(wanted func(recordField) bool) []string {
	var names []string
	for _, f := range recordFields {
		if wanted(f) {
			names = append(names, f.attributes...)
		}
	}
	return names
}

// recordKey is the key of a record in its table.
type recordKey struct {
	log usage.Log
	at  string // timestamp, "#", id
}

func keyOfRecord(r usage.Record) recordKey { return recordKey{r.Log, r.Position().String()} }

func (k recordKey) item() item { return item{"log": str(k.log.Key()), "at": str(k.at)} }

// byID is a record's key in the index ById.
func byID(log usage.Log, id usage.RecordID) string { return log.Key() + "#" + string(id) }

func encodeVersion(v usage.Version) item {
	it := keyOfRecord(v.Record).item()
	it["byId"] = str(byID(v.Log, v.ID))
	for _, f := range recordFields {
		f.put(it, &v)
	}
	return it
}

// decodeVersion reads a record, and when its outcome was told as far as that was
// asked for. An id that tells a number is not shown, so that what another pipeline
// wrote does not pass.
func decodeVersion(log usage.Log, it item) (v usage.Version, err error) {
	err = decodeInto(&v, log, it)
	return v, err
}

func decodeRecord(log usage.Log, it item) (usage.Record, error) {
	v, err := decodeVersion(log, it)
	return v.Record, err
}

// decodeInto is decodeVersion in place of what v was: whoever reads many records needs
// one v.
func decodeInto(v *usage.Version, log usage.Log, it item) error {
	r := reader{item: it}
	at := r.position(log)
	*v = usage.Version{Record: usage.Record{Log: log, ID: at.ID, Raw: at.Raw, Timestamp: at.Timestamp}}
	for _, f := range recordFields {
		if f.products == nil || slices.Contains(f.products, log.Product) {
			f.read(&r, v)
		}
	}
	if r.err != nil {
		*v = usage.Version{}
		return badItem("record of "+log.Text(), usage.FormatTime(at.Timestamp), r.err)
	}
	return nil
}

// position reads where a record stands in its log, as it may be shown.
func (r *reader) position(log usage.Log) usage.Position {
	var numbers masking.Endings
	numbers.Add(r.text("from"))
	numbers.Add(r.text("to"))
	position, err := log.StoredPosition(r.text("at"), numbers)
	if err != nil {
		r.fail("at", err.Error())
	}
	return position
}
