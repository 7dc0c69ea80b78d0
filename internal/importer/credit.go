package importer

import (
	"bytes"
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

// CreditOptions say what a file of credit alone does not tell.
type CreditOptions struct {
	Now         time.Time
	Decimal     DecimalMark
	MaxUnpacked int64 // as in Options
}

// ReadCredit reads a file of remaining credit line by line, as [ReadUsage] reads
// one of usage: CSV with a header, or NDJSON where it begins with "{". Whether the
// account exists, and has the currency, is for the caller.
func ReadCredit(r io.Reader, o CreditOptions) iter.Seq2[CreditRow, error] {
	return sequence(func() (func() (CreditRow, error), error) {
		c, err := openCredit(r, o)
		if err != nil {
			return nil, err
		}
		return c.next, nil
	})
}

// creditRows reads a file of credit: a table, or objects where that is nil.
type creditRows struct {
	recordBuilder // of which only the faults count
	table         *csvTable
	objects       objects
	mark          DecimalMark
	texts         map[string]string // of the line at hand, by field
}

func openCredit(r io.Reader, o CreditOptions) (*creditRows, error) {
	text, sample, err := unpack(r, o.MaxUnpacked)
	if err == nil {
		err = checkLook(sample, creditLook)
	}
	if err != nil {
		return nil, err
	}
	c := &creditRows{recordBuilder: newRecordBuilder(Options{Now: o.Now}), mark: o.Decimal, texts: map[string]string{}}
	if bytes.HasPrefix(bytes.TrimSpace(sample), []byte("{")) {
		c.objects = objects{lines: newLines(text)}
		return c, nil
	}
	needs := []string{CreditAccountField, amountField, asOfField}
	key := func(name string) string { return creditNames[creditKey(bareName(name))] }
	if c.table, err = openTable(text, key, needs...); err != nil {
		return nil, err
	}
	if absent := c.table.absent(needs...); len(absent) > 0 {
		return nil, fmt.Errorf("the header has no column %s: one with accountId, amount and asOf is needed", absent[0])
	}
	return c, nil
}

func (c *creditRows) next() (CreditRow, error) {
	var number int
	var fault string
	var err error
	if c.begin(); c.table != nil {
		number, fault, err = c.table.next()
	} else {
		number, fault, err = c.objects.next()
	}
	if err != nil {
		return CreditRow{}, err
	}
	row := CreditRow{Line: number}
	if c.reason = fault; fault == "" {
		c.readTexts()
		row = c.row(number)
	}
	if c.reason != "" && c.table != nil && c.table.isShort() {
		c.field, c.reason = "", notColumns
	}
	if c.reason != "" {
		row = CreditRow{Line: number, Rejected: &Reject{Line: number, Field: c.field, Reason: c.reason}}
	}
	return row, nil
}

func (c *creditRows) readTexts() {
	clear(c.texts)
	if c.table != nil {
		for _, field := range creditNames {
			c.texts[field] = c.table.raw(field)
		}
		return
	}
	for name, value := range members(c.objects.current) {
		field, known := creditNames[creditKey(string(name))]
		if !known {
			continue
		}
		if _, twice := c.texts[field]; twice {
			c.fail(field, "is there twice")
		}
		if field == amountField {
			c.texts[field] = c.jsonDecimal(field, value)
		} else {
			c.texts[field] = c.jsonText(field, value)
		}
	}
}

// row reads the texts.
func (c *creditRows) row(number int) CreditRow {
	row := CreditRow{Line: number}
	text := func(field string) string {
		if c.texts[field] == "" {
			c.fail(field, missing)
		}
		return c.texts[field]
	}
	var err error
	if row.Account, err = usage.ParseAccountID(text(CreditAccountField)); err != nil {
		c.fail(CreditAccountField, "must be 3 to 50 of A-Z a-z 0-9 - . _ &")
	}
	row.Amount = c.amount(text(amountField))
	if at := c.time(asOfField, text(asOfField), parseExportTime); at != nil {
		row.AsOf = *at
	}
	if code := c.texts[CreditCurrencyField]; code != "" {
		row.Currency = c.currency(CreditCurrencyField, code)
	}
	return row
}

var (
	groupedAmount = regexp.MustCompile(`^[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?$`) // by comma: 1520,73 or 1.520,73
	// 1.520: a thousand, or a half more than one
	twoWayAmount = regexp.MustCompile(`^[+-]?\d+\.\d{3}$`)
)

// amount reads an amount of credit.
func (c *creditRows) amount(text string) decimal.Decimal {
	const example = "must be a decimal number, as 1520.73"
	plain, reason := text, example
	switch {
	case c.table == nil: // JSON has amounts as JSON has
	case c.mark == DecimalComma:
		reason = "must be a decimal number with a comma, as 1520,73"
		if !groupedAmount.MatchString(text) {
			plain = ""
			break
		}
		plain = strings.ReplaceAll(strings.ReplaceAll(text, ".", ""), ",", ".")
	case c.mark == UnsaidMark && c.table.separator == ';' && twoWayAmount.MatchString(text):
		plain, reason = "",
			"may have a point for thousands or for decimals: say which by --decimal comma or --decimal point"
	case c.mark == UnsaidMark && groupedAmount.MatchString(text):
		reason = example + "; --decimal comma reads one with a comma"
	}
	amount, err := money.Parse(plain)
	if err != nil {
		c.fail(amountField, quoted(text)+reason)
	}
	return amount
}
