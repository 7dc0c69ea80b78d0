package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"partnerview/internal/money"
	"partnerview/internal/operator"
	"partnerview/internal/usage"
)

type usageCommands struct {
	Get    usageGetCommand    `cmd:"" help:"Show usage records of a customer, masked as they are stored."`
	Delete usageDeleteCommand `cmd:"" help:"Delete usage records of customers."`

	MendIDs usageMendIDsCommand `cmd:"" name:"mend-ids" help:"Give new ids to records whose id contains a telephone number."`
}

// selectionFlags say which records of a customer are meant.
type selectionFlags struct {
	Product []string         `placeholder:"PRODUCT" enum:"sms,voice,video,messaging" help:"Only of these products."`
	From    time.Time        `placeholder:"TIME" help:"Only from this time on, such as 2026-11-01 or 2026-11-01T08:00:00Z."`
	To      time.Time        `placeholder:"TIME" help:"Only before this time."`
	ID      []usage.RecordID `name:"id" placeholder:"ID" help:"Only records with these ids."`
	Last4   usage.Last4      `name:"last4" placeholder:"DIGITS" help:"Only from or to a number that ends in these four digits."`
}

// of are the records of a customer that the flags say.
func (f selectionFlags) of(account usage.AccountID) (operator.Selection, error) {
	s := operator.Selection{
		Account: account, Products: products(f.Product), Last4: string(f.Last4),
		Period: usage.Period{From: f.From, To: f.To},
	}
	for _, id := range f.ID {
		if !slices.Contains(s.IDs, id) {
			s.IDs = append(s.IDs, id)
		}
	}
	if !s.Period.From.IsZero() && !s.Period.To.IsZero() && !s.Period.From.Before(s.Period.To) {
		return s, misuseError("--from must be before --to: the period is from the one up to, and without, the other")
	}
	return s, nil
}

type usageGetCommand struct {
	Account        usage.AccountID `arg:"" name:"ACCOUNT" help:"The customer's account ID."`
	selectionFlags `embed:""`
	Limit          *countArgument `placeholder:"N" help:"Show at most this many records; 0 shows all. Default: 100, or all for programs."`
}

const defaultLimit = 100

func (c *usageGetCommand) Run(s *session) error {
	selection, err := c.of(c.Account)
	if err != nil {
		return err
	}
	limit := 0
	if c.Limit != nil {
		limit = int(*c.Limit)
	} else if !s.json {
		limit = defaultLimit
	}
	o, err := s.operator(usageTable)
	if err != nil {
		return err
	}
	show, lines := s.recordTable(), json.NewEncoder(s.std.out)
	lines.SetEscapeHTML(false)
	n, more := 0, false
	for r, err := range o.Records(s.ctx, selection) {
		if err != nil {
			return err
		}
		if more = limit > 0 && n == limit; more {
			break
		}
		n++
		if !s.json {
			show.add(recordCells(r)...)
		} else if err := lines.Encode(listRecord(r)); err != nil {
			return err
		}
	}
	switch {
	case s.json:
	case n == 0:
		s.printf("No records found.\n")
	default:
		s.show(show)
		if more {
			s.printf("The first %s; there are more: narrow the period, or give --limit 0 for all.\n",
				count(n, "record"))
		}
	}
	return nil
}

// listedRecord is a record in the form that it is imported in (docs/formats.md),
// but for masked numbers.
type listedRecord struct {
	AccountID          usage.AccountID `json:"accountId"`
	Product            usage.Product   `json:"product"`
	ID                 usage.RecordID  `json:"id"`
	Timestamp          string          `json:"timestamp"`
	Direction          string          `json:"direction,omitempty"`
	Status             string          `json:"status,omitempty"`
	StatusAt           string          `json:"statusAt,omitempty"`
	From               string          `json:"from,omitempty"`
	To                 string          `json:"to,omitempty"`
	Country            usage.Country   `json:"country,omitempty"`
	Operator           usage.Operator  `json:"operator,omitempty"`
	Segments           *int64          `json:"segments,omitempty"`
	DurationSeconds    *int64          `json:"durationSeconds,omitempty"`
	Participants       *int64          `json:"participants,omitempty"`
	ParticipantSeconds *int64          `json:"participantSeconds,omitempty"`
	Channel            usage.Channel   `json:"channel,omitempty"`
	Category           usage.Category  `json:"category,omitempty"`
	ErrorCode          string          `json:"errorCode,omitempty"`
	RecordedPrice      *listedMoney    `json:"recordedPrice,omitempty"`
}

type listedMoney struct {
	Amount   string         `json:"amount"`
	Currency money.Currency `json:"currency"`
}

func listRecord(r usage.Record) listedRecord {
	out := listedRecord{
		AccountID: r.Account, Product: r.Product, ID: r.ID, Timestamp: usage.FormatTime(r.Timestamp),
		Direction: string(r.Direction),
		Status:    string(r.Status), From: r.From.String(), To: r.To.String(), Country: r.Country, Operator: r.Operator,
		Segments:        r.Segments,
		DurationSeconds: r.DurationSeconds, Participants: r.Participants, ParticipantSeconds: r.ParticipantSeconds,
		Channel: r.Channel, Category: r.Category, ErrorCode: r.ErrorCode,
	}
	if r.StatusAt != nil {
		out.StatusAt = usage.FormatTime(*r.StatusAt)
	}
	if p := r.RecordedPrice; p != nil {
		out.RecordedPrice = &listedMoney{money.Text(p.Amount), p.Currency}
	}
	return out
}

func (s *session) recordTable() *textTable {
	return newTable("timestamp", "product", "id", "direction", "status", "from", "to", "country", "quantity", "channel",
		"recorded price")
}

func recordCells(r usage.Record) []any {
	recorded := "-"
	if p := r.RecordedPrice; p != nil {
		recorded = money.Text(p.Amount) + " " + string(p.Currency)
	}
	dash := func(text string) string { return orDash(textOrNil(text)) }
	return []any{
		usage.FormatTime(r.Timestamp), r.Product, r.ID, dash(string(r.Direction)), dash(string(r.Status)),
		dash(r.From.String()), dash(r.To.String()),
		dash(string(r.Country)), dash(quantityText(r)), dash(string(r.Channel)), recorded,
	}
}

func quantityText(r usage.Record) string {
	switch {
	case r.Segments != nil:
		return count(*r.Segments, "segment")
	case r.ParticipantSeconds != nil:
		return fmt.Sprintf("%d participant-s", *r.ParticipantSeconds)
	case r.DurationSeconds != nil:
		return fmt.Sprintf("%d s", *r.DurationSeconds)
	}
	return ""
}
