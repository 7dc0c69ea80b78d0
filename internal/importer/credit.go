package importer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"regexp"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"partnerview/internal/money"
	"partnerview/internal/usage"
)

// CreditRow is what one line of a file of credit came to.
type CreditRow struct {
	Line     int
	Rejected *Reject // why it is not taken; nil: the rest is good
	Account  usage.AccountID
	Amount   decimal.Decimal // may be negative: overdrawn
	Currency money.Currency  // empty: not told
	AsOf     time.Time       // when the amount was true, UTC
}

// The fields of a credit, as rejections name them.
const (
	CreditAccountField  = "accountId"
	CreditCurrencyField = "currency"
	amountField         = "amount"
	asOfField           = "asOf"
)

// creditNames are the spellings that a field's name may have, as creditKey leaves
// them.
var creditNames = map[string]string{
	"account": CreditAccountField, "accountid": CreditAccountField,
	"amount": amountField, "remainingcredit": amountField,
	"asof": asOfField, "creditasof": asOfField,
	"currency": CreditCurrencyField,
}

func creditKey(name string) string {
	return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(name))
}

// DecimalMark says how the amounts of a CSV file of credit are written.
type DecimalMark string

const (
	// UnsaidMark: with a point. Where the separator is ";", as in countries that write
	// a comma, 1.520 may be a thousand and more: such an amount is rejected.
	UnsaidMark   DecimalMark = ""
	DecimalPoint DecimalMark = "point" // 1520.73
	DecimalComma DecimalMark = "comma" // 1520,73 or 1.520,73
)

// ReadCredit reads a file of remaining credit line by line, as [ReadUsage] reads
// one of usage: CSV with a header, or NDJSON where it begins with "{". Whether the
// account exists, and has the currency, is for the caller.
func ReadCredit(r io.Reader, now time.Time, mark DecimalMark) iter.Seq2[CreditRow, error] {
	return func(yield func(CreditRow, error) bool) {
		next, err := openCredit(r)
		for err == nil {
			var line creditLine
			if line, err = next(); err == nil && !yield(line.row(now, mark), nil) {
				return
			}
		}
		if err != io.EOF {
			yield(CreditRow{}, &FileError{err})
		}
	}
}

// creditLine is a line before its texts are read.
type creditLine struct {
	number int
	draft  draft // keeps the first fault
	short  bool  // it has fewer fields than the header
	// separator is that of the CSV file; 0: the line is JSON, and has amounts as JSON has
	separator byte
	texts     map[string]string
}

func openCredit(r io.Reader) (next func() (creditLine, error), err error) {
	text, sample, err := unpack(r)
	if err == nil {
		err = checkLook(sample, creditLook)
	}
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(bytes.TrimSpace(sample), []byte("{")) {
		o := objects{newLines(text)}
		return func() (creditLine, error) { return nextCreditObject(o) }, nil
	}
	return openCreditCSV(text)
}

func nextCreditObject(o objects) (creditLine, error) {
	number, object, fault, err := o.nextObject()
	line := creditLine{number: number, texts: map[string]string{}}
	if err != nil || fault != "" {
		line.draft.reason = fault
		return line, err
	}
	for name, value := range members(object) {
		field, known := creditNames[creditKey(string(name))]
		if !known {
			continue
		}
		if _, twice := line.texts[field]; twice {
			line.draft.fail(field, "is there twice")
		}
		if field == amountField {
			line.texts[field] = line.draft.jsonDecimal(field, value)
		} else {
			line.texts[field] = line.draft.jsonText(field, value)
		}
	}
	return line, nil
}

func openCreditCSV(text io.Reader) (func() (creditLine, error), error) {
	x := &exportRows{header: map[string]int{}, at: map[string]int{}, records: csvRecords{
		lines: newLines(text),
		needs: []string{CreditAccountField, amountField, asOfField},
		key:   func(name string) string { return creditNames[creditKey(bareName(name))] },
	}}
	if err := x.readHeader(); err != nil {
		return nil, err
	}
	columns, err := creditColumns(x)
	if err != nil {
		return nil, err
	}
	return func() (creditLine, error) {
		number, err := x.records.next()
		for ; err == errHeader; number, err = x.records.next() {
			if err = x.useHeader(); err == nil {
				columns, err = creditColumns(x)
			}
			if err != nil {
				return creditLine{}, fmt.Errorf("line %d: %w", number, err)
			}
		}
		line := creditLine{number: number, short: x.records.isShort(), separator: x.records.separator, texts: map[string]string{}}
		if reason := broken(""); errors.As(err, &reason) {
			line.draft.reason = string(reason)
			return line, nil
		}
		if err != nil {
			return line, err
		}
		for field, i := range columns {
			line.texts[field] = x.records.field(i)
		}
		return line, nil
	}, nil
}

// creditColumns is where the fields stand, by the header at hand.
func creditColumns(x *exportRows) (map[string]int, error) {
	columns := map[string]int{}
	for i := range x.records.columns {
		field := x.records.key(x.records.field(i))
		if _, twice := columns[field]; field != "" && twice {
			return nil, fmt.Errorf("the header has two columns for %s", field)
		}
		columns[field] = i
	}
	delete(columns, "")
	for _, field := range x.records.needs {
		if _, there := columns[field]; !there {
			return nil, fmt.Errorf("the header has no column %s: one with accountId, amount and asOf is needed", field)
		}
	}
	return columns, nil
}

// row reads the texts.
func (l *creditLine) row(now time.Time, mark DecimalMark) CreditRow {
	d, row := &l.draft, CreditRow{Line: l.number}
	d.options.Now = now
	text := func(field string) string {
		if l.texts[field] == "" {
			d.fail(field, missing)
		}
		return l.texts[field]
	}
	var err error
	if row.Account, err = usage.ParseAccountID(text(CreditAccountField)); err != nil {
		d.fail(CreditAccountField, "must be 3 to 50 of A-Z a-z 0-9 - . _ &")
	}
	row.Amount = l.amount(text(amountField), mark)
	if at := d.time(asOfField, text(asOfField), parseExportTime); at != nil {
		row.AsOf = *at
	}
	if code := l.texts[CreditCurrencyField]; code != "" {
		if row.Currency, err = money.ParseCurrency(code); err != nil || !row.Currency.IsInUse() {
			d.fail(CreditCurrencyField, quoted(code)+"is not an ISO 4217 code, as EUR")
		}
	}
	if d.reason != "" && l.short {
		d.field, d.reason = "", notColumns
	}
	if d.reason != "" {
		return CreditRow{Line: l.number, Rejected: &Reject{Line: l.number, Field: d.field, Reason: d.reason}}
	}
	return row
}

var (
	groupedAmount = regexp.MustCompile(`^[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?$`) // by comma: 1520,73 or 1.520,73
	twoWayAmount  = regexp.MustCompile(`^[+-]?\d+\.\d{3}$`)                     // 1.520: a thousand, or a half more than one
)

// amount reads an amount of credit.
func (l *creditLine) amount(text string, mark DecimalMark) decimal.Decimal {
	const example = "must be a decimal number, as 1520.73"
	plain, reason := text, example
	switch {
	case l.separator == 0:
	case mark == DecimalComma:
		reason = "must be a decimal number with a comma, as 1520,73"
		if !groupedAmount.MatchString(text) {
			plain = ""
			break
		}
		plain = strings.ReplaceAll(strings.ReplaceAll(text, ".", ""), ",", ".")
	case mark == UnsaidMark && l.separator == ';' && twoWayAmount.MatchString(text):
		plain, reason = "", "may have a point for thousands or for decimals: say which by --decimal comma or --decimal point"
	case mark == UnsaidMark && groupedAmount.MatchString(text):
		reason = example + "; --decimal comma reads one with a comma"
	}
	amount, err := money.Parse(plain)
	if err != nil {
		l.draft.fail(amountField, quoted(text)+reason)
	}
	return amount
}
