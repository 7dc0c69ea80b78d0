package importer

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"partnerview/internal/money"
	"partnerview/internal/usage"
)

// now is later than every fixture, and less than 13 months so.
var now = time.Date(2026, 6, 10, 0, 0, 0, 0, time.UTC)

// options know two customers and their sub-accounts.
func options() Options {
	accounts := map[string]usage.AccountID{
		"acme_one": "acme_one", "sample_one_hq": "acme_one", "sample_one_chat": "acme_one", "sample_one_voice": "acme_one",
		"acme_two": "acme_two", "sample-two.otp": "acme_two",
	}
	return Options{
		Accounts: func(name string) (usage.AccountID, bool) { id, ok := accounts[name]; return id, ok },
		Now:      now,
	}
}

// readAll reads usage that as a file has no error.
func readAll(t testing.TB, r io.Reader, f Format, o Options) []Row {
	t.Helper()
	rows, err := readUntilError(r, f, o)
	if err != nil {
		t.Fatalf("%s: %v", f, err)
	}
	return rows
}

func readUntilError(r io.Reader, f Format, o Options) ([]Row, error) {
	var rows []Row
	for row, err := range ReadUsage(r, f, o) {
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// describe writes a row as a test expects it: what a record has, field by field,
// or why it was rejected.
func describe(r Row) string {
	if r.Rejected != nil {
		return fmt.Sprintf("%d REJECTED %s: %s [%s]", r.Rejected.Line, r.Rejected.Field, r.Rejected.Reason, r.Rejected.ID)
	}
	u := r.Record
	words := []string{fmt.Sprint(r.Line), u.Log.Key(), string(u.ID), usage.FormatTime(u.Timestamp)}
	add := func(name, value string) {
		if value != "" {
			words = append(words, name+"="+value)
		}
	}
	count := func(name string, n *int64) {
		if n != nil {
			add(name, fmt.Sprint(*n))
		}
	}
	add("dir", string(u.Direction))
	add("status", string(u.Status))
	if u.StatusAt != nil {
		add("at", usage.FormatTime(*u.StatusAt))
	}
	add("err", u.ErrorCode)
	add("from", u.From.String())
	add("to", u.To.String())
	add("in", string(u.Country))
	add("op", string(u.Operator))
	count("seg", u.Segments)
	count("sec", u.DurationSeconds)
	count("people", u.Participants)
	count("peoplesec", u.ParticipantSeconds)
	add("channel", string(u.Channel))
	add("category", string(u.Category))
	if u.RecordedPrice != nil {
		add("price", money.Text(u.RecordedPrice.Amount)+string(u.RecordedPrice.Currency))
	}
	add("dropped", strings.Join(r.Dropped, ","))
	return strings.Join(words, " ")
}

func currencyOf(code string) money.Currency { return money.Currency(code) }
