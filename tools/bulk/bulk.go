// Package bulk makes usage by the million, in the five formats that the importer
// reads, to try a load of any size.
//
// Each record is made from its number alone, and bears that number in its id. So
// what a table must hold after a load can be told record by record, without
// keeping the load anywhere: [Load.Attributes] says it in the form that
// internal/dynamo/doc.go describes, and knows neither the importer nor the store,
// so that it can find both wrong.
//
// The same number of lines gives the same bytes. All numbers are of ranges that
// are kept for fiction; names and contents are marked as those of package sample.
package bulk

import (
	"fmt"
	"strings"
	"time"
)

// Now is the time as of which a load is made: its lines are of the 60 days
// before. What loads it takes this for the time.
func Now() time.Time { return time.Date(2026, 6, 15, 0, 0, 0, 0, time.UTC) }

const window = 60 * 24 * time.Hour

// Load is a number of lines, in all formats together: four tenths are native, a
// quarter SMS logs, a tenth receipts of those, and the rest messaging and voice.
type Load struct{ Lines int }

// File is a part of a load that is one file of one format.
type File struct {
	Name   string // "sms.csv"
	Format string // as partnerctl's --format has it
	Lines  int    // without the header

	first int // its records' first number; of receipts, of the record that they begin with
	write func(*row) []string
}

// Files lists a load's files in the order in which they must be loaded: receipts
// come after their records. A file may be written alone, and again.
func (l Load) Files() []File {
	native, sms, messages := l.Lines*4/10, l.Lines/4, l.Lines/8
	receipts := l.Lines / 10 / 2 * 2
	calls := l.Lines - native - sms - messages - receipts
	return []File{
		{"native.ndjson", "native", native, 0, (*row).native},
		{"sms.csv", "connect-sms-csv", sms, native, (*row).smsRow},
		{"messaging.csv", "connect-messaging-csv", messages, native + sms, (*row).messagingRow},
		{"voice.csv", "connect-voice-csv", calls, native + sms + messages, (*row).voiceRow},
		{"receipts.ndjson", "connect-sms-receipts", receipts, native, nil},
	}
}

// Records is how many records a load comes to: all lines but the receipts. Their
// numbers are 0 and up.
func (l Load) Records() int { return l.Lines - l.Files()[4].Lines }

// kind finds the file that a record stands in.
func (l Load) kind(number int) File {
	files := l.Files()[:4]
	for _, f := range files[1:] {
		if number < f.first {
			break
		}
		files = files[1:]
	}
	return files[0]
}

// hasReceipts reports whether there are receipts of a record: there are two each.
func (l Load) hasReceipts(number int) bool {
	receipts := l.Files()[4]
	return number >= receipts.first && number < receipts.first+receipts.Lines/2
}

const customers = 20

func account(n int) string { return fmt.Sprintf("bulk_%02d", n%customers) }

// Directory is the directory file of the customers that a load is of.
func Directory() string {
	var b strings.Builder
	b.WriteString("customers:\n")
	for n := range customers {
		fmt.Fprintf(&b, "  - {accountId: %s, name: Bulk %02d, products: [sms, voice, video, messaging], currency: EUR, billingMode: prepaid, subAccounts: [%s_hq]}\n", account(n), n, account(n))
	}
	return b.String()
}
