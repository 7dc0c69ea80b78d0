package totals

import (
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"partnerview/internal/directory"
	"partnerview/internal/pricing"
	"partnerview/internal/usage"
)

func TestRunningMonthsAreThoseOfAnyZone(t *testing.T) {
	for now, want := range map[string][]Month{
		"2026-11-15T12:00:00Z": {"2026-11"},
		"2026-11-30T09:59:00Z": {"2026-11", "2026-12"}, // Kiritimati is 14 hours ahead
		"2026-12-01T11:00:00Z": {"2026-11", "2026-12"}, // Midway 11 behind
		"2027-01-01T00:00:00Z": {"2026-12", "2027-01"},
		"2026-02-28T12:00:00Z": {"2026-02", "2026-03"},
	} {
		at, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		if got := RunningMonths(at); !slices.Equal(got, want) {
			t.Errorf("at %s %v may be running, want %v", now, got, want)
		}
		if got := PaceMonths(at); !slices.Equal(got[1:], want) || got[0].Next() != want[0] {
			t.Errorf("at %s the pace is of %v", now, got)
		}
		for _, name := range []string{"Pacific/Kiritimati", "Pacific/Midway", "Asia/Kathmandu", "UTC"} {
			zone, err := time.LoadLocation(name)
			if err != nil {
				t.Fatal(err)
			}
			if month := DayOf(at, zone).Month(); !slices.Contains(RunningMonths(at), month) {
				t.Errorf("at %s %s lives in %s", now, name, month)
			}
		}
	}
}

func amount(text string) *decimal.Decimal {
	d := decimal.RequireFromString(text)
	return &d
}

// charged is a log's month with these amounts by price and currency.
func charged(amounts map[Group]string) MonthlyLog {
	sheet := make(Sheet)
	for g, text := range amounts {
		sheet[g] = Sums{Records: 1, Amount: *amount(text)}
	}
	return MonthlyLog{Sheet: sheet}
}

var (
	eur = Group{Price: pricing.Rated, Currency: "EUR"}
	now = time.Date(2026, 12, 5, 12, 0, 0, 0, time.UTC)
)

func TestSpendIsWhatIsKnownOfTheRunningMonth(t *testing.T) {
	whole := Monthly{Zone: "Europe/Berlin", Logs: map[usage.Product]MonthlyLog{
		usage.SMS: charged(map[Group]string{
			eur: "12.5", {Price: pricing.Recorded, Currency: "EUR"}: "0.0412", {Price: pricing.Free, Currency: "EUR"}: "0",
			{Price: pricing.Recorded, Currency: "USD"}: "99", {Price: pricing.Unrated}: "0",
		}),
		usage.Voice: charged(map[Group]string{eur: "1000"}),
	}}
	customer := directory.Customer{Account: "acme", Currency: "EUR", TimeZone: "Europe/Berlin", Products: []usage.Product{usage.SMS, usage.Video}}
	with := func(change func(*Monthly)) *Monthly {
		m := whole
		m.Logs = map[usage.Product]MonthlyLog{usage.SMS: whole.Logs[usage.SMS], usage.Voice: whole.Logs[usage.Voice]}
		change(&m)
		return &m
	}
	past := func(p usage.Product) *Monthly {
		return with(func(m *Monthly) {
			log := m.Logs[p]
			log.ExpiresAt = now
			m.Logs[p] = log
		})
	}
	for claim, c := range map[string]struct {
		ready bool
		month *Monthly
		want  string // empty: not known
	}{
		"what is charged in the customer's currency, of what may be seen": {true, &whole, "12.5412"},
		"not all is counted":               {false, &whole, ""},
		"no record, and all is counted":    {true, nil, "0"},
		"no record, as far as counted":     {false, nil, ""},
		"it is being counted":              {true, with(func(m *Monthly) { m.Stale = true }), ""},
		"it is another zone's":             {true, with(func(m *Monthly) { m.Zone = "UTC" }), ""},
		"a record is past its retention":   {true, past(usage.SMS), ""},
		"one of another product is":        {true, past(usage.Voice), "12.5412"},
		"the products have no record here": {true, with(func(m *Monthly) { delete(m.Logs, usage.SMS) }), "0"},
	} {
		s := Spending{Ready: c.ready, Months: map[AccountMonth]Monthly{{Account: "acme", Month: "2026-11"}: whole, {Account: "acme2", Month: "2026-12"}: whole}}
		if c.month != nil {
			s.Months[AccountMonth{Account: "acme", Month: "2026-12"}] = *c.month
		}
		got, err := s.Running(customer, now)
		if err != nil || (got == nil) != (c.want == "") || got != nil && got.String() != c.want {
			t.Errorf("%s: %v, %v, want %q", claim, got, err, c.want)
		}
	}
	customer.TimeZone = "Europe/Nowhere"
	if _, err := (Spending{Ready: true}).Running(customer, now); err == nil {
		t.Error("a zone that there is not has a month")
	}
}

// The running month is that of the customer, whatever month it is elsewhere.
func TestTheRunningMonthIsTheCustomersOwn(t *testing.T) {
	turn := time.Date(2026, 11, 30, 23, 30, 0, 0, time.UTC)
	for zone, want := range map[directory.TimeZone]string{"": "11", "Europe/Berlin": "12", "America/New_York": "11", "Pacific/Kiritimati": "12"} {
		s := Spending{Ready: true, Months: map[AccountMonth]Monthly{}}
		for _, month := range RunningMonths(turn) {
			s.Months[AccountMonth{Account: "acme", Month: month}] = Monthly{Zone: zone, Logs: map[usage.Product]MonthlyLog{usage.SMS: charged(map[Group]string{eur: string(month[5:])})}}
		}
		got, err := s.Running(directory.Customer{Account: "acme", Currency: "EUR", TimeZone: zone, Products: usage.Products()}, turn)
		if err != nil || got == nil || got.String() != want {
			t.Errorf("in %s it is the month %v, %v, want %s", zone, got, err, want)
		}
	}
}

func TestHowLongACreditLasts(t *testing.T) {
	for claim, c := range map[string]struct {
		left, limit     *decimal.Decimal
		before, running string // what was charged; empty: not counted
		want            CreditState
	}{
		"140 of 150 in a week":                       {amount("100"), amount("50"), "600", "100", CreditEnough},
		"140 of 140 in a week":                       {amount("100"), amount("40"), "600", "100", CreditLow},
		"a cent more":                                {amount("140.01"), nil, "600", "100", CreditEnough},
		"nothing is left":                            {amount("0"), nil, "600", "100", CreditExhausted},
		"the limit is reached":                       {amount("-50"), amount("50"), "0", "0", CreditExhausted},
		"the limit is passed":                        {amount("-50.01"), amount("50"), "", "", CreditExhausted},
		"within the limit, and nothing is spent":     {amount("-49.99"), amount("50"), "0", "0", CreditEnough},
		"little is left, and nothing is spent":       {amount("0.01"), nil, "0", "0", CreditEnough},
		"it is not known":                            {nil, amount("0"), "600", "100", CreditEnough},
		"only the running month is counted":          {amount("140"), nil, "", "100", CreditLow},
		"only the month before is counted":           {amount("140"), nil, "600", "", CreditLow}, // 140 = 7 * 600 / 30
		"the same, a cent more":                      {amount("140.01"), nil, "600", "", CreditEnough},
		"nothing is counted":                         {amount("0.01"), nil, "", "", CreditEnough},
		"it has begun this month":                    {amount("140"), nil, "0", "100", CreditLow},
		"it has ended with the month before":         {amount("120"), nil, "600", "0", CreditLow}, // 7 * 600 / 35
		"the same, with what lasts for a day longer": {amount("137"), nil, "600", "0", CreditEnough},
	} {
		s := Spending{Ready: true, Months: map[AccountMonth]Monthly{}}
		for month, text := range map[Month]string{"2026-11": c.before, "2026-12": c.running} {
			m := Monthly{Zone: "UTC", Stale: text == "", Logs: map[usage.Product]MonthlyLog{}}
			if text != "" {
				m.Logs[usage.SMS] = charged(map[Group]string{eur: text})
			}
			s.Months[AccountMonth{Account: "acme", Month: month}] = m
		}
		customer := directory.Customer{Account: "acme", Currency: "EUR", Products: usage.Products(), Credit: directory.Credit{Remaining: c.left, Limit: c.limit}}
		if got, err := s.Credit(customer, now); err != nil || got != c.want {
			t.Errorf("%s: %q, %v, want %q", claim, got, err, c.want)
		}
	}
}
