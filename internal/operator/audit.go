package operator

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerview/internal/directory"
	"partnerview/internal/fault"
	"partnerview/internal/usage"
)

// Look is one answer that showed something of a customer, as its audit line says.
type Look struct {
	At        time.Time // UTC
	RequestID string
	Partner   directory.PartnerID
	KeyID     string // an access key's ID, or "oidc-…" (see [directory.TokenKeyID])
	What      Shown
	Product   usage.Product // of a log or a record; else empty
	Records   int           // of usage that were shown; of a customer or a list 0
}

// Shown is what of a customer an answer showed. A route that is not known here is
// named as it is.
type Shown string

const (
	ShownList     Shown = "list"     // its line on a page of the list of customers
	ShownCustomer Shown = "customer" // the customer alone
	ShownLog      Shown = "log"      // a page of one of its logs
	ShownRecord   Shown = "record"   // one record
	ShownLogs     Shown = "logs"     // how far its logs are loaded
	ShownSummary  Shown = "summary"  // sums of its usage, alone or of all customers together
)

// shownBy is what each route shows, as the audit lines name routes; a test holds it
// against the API's.
func shownBy(route string) Shown {
	switch route {
	case "GET /customers":
		return ShownList
	case "GET /customers/{accountId}":
		return ShownCustomer
	case "GET /customers/{accountId}/usage/{product}":
		return ShownLog
	case "GET /customers/{accountId}/usage/{product}/{recordId}":
		return ShownRecord
	case "GET /customers/{accountId}/usage":
		return ShownLogs
	case "GET /customers/{accountId}/summary", "GET /summary":
		return ShownSummary
	}
	return Shown(route)
}

// ReadLook reads a line of a function's log, and reports whether it is an audit line
// that has the account. A page of a list is one look at each customer on it. An error:
// the line is no JSON, or an audit line that lacks something. It does not repeat the line.
func ReadLook(line []byte, account usage.AccountID) (look Look, found bool, err error) {
	var entry struct {
		Time       string              `json:"time"`
		Audit      bool                `json:"audit"`
		RequestID  string              `json:"requestId"`
		Route      string              `json:"route"`
		PartnerID  directory.PartnerID `json:"partnerId"`
		KeyID      string              `json:"keyId"`
		AccountIDs []usage.AccountID   `json:"accountIds"`
		Product    usage.Product       `json:"product"`
		Records    int                 `json:"records"`
	}
	if json.Unmarshal(line, &entry) != nil {
		return Look{}, false, fmt.Errorf("a line of the log is not an entry that can be read")
	}
	if !entry.Audit || !slices.Contains(entry.AccountIDs, account) {
		return Look{}, false, nil
	}
	at, err := usage.ParseTime(entry.Time)
	if err != nil || entry.PartnerID == "" || entry.KeyID == "" || entry.Route == "" {
		return Look{}, false, fmt.Errorf("an audit line lacks its time, partner, key or route")
	}
	look = Look{At: at.UTC(), RequestID: entry.RequestID, Partner: entry.PartnerID, KeyID: entry.KeyID,
		What: shownBy(entry.Route), Product: entry.Product, Records: entry.Records}
	if look.Product == "" {
		look.Records = 0 // they are customers, of whom most are others
	}
	return look, true, nil
}

// Onlooker is what is known of who looked.
type Onlooker struct {
	PartnerName string // empty: there is no such partner any more
	// Name is an access key's label, or what the operator calls a person; empty: there
	// is none, or nothing is kept of the key or person any more.
	Name string
	// State is a key's ("active", "expired", "revoked") or a person's ("active",
	// "removed"); empty: nothing is kept.
	State string
}

// Onlookers finds who is behind looks, and sorts these by their time. Of each look it
// tells the same that the directory has now: a name that was changed is the new one.
func (o *Operator) Onlookers(ctx context.Context, looks []Look) ([]Onlooker, error) {
	slices.SortStableFunc(looks, func(a, b Look) int {
		return cmp.Or(a.At.Compare(b.At), strings.Compare(a.RequestID, b.RequestID))
	})
	type credential struct {
		partner directory.PartnerID
		keyID   string
	}
	known := make(map[credential]Onlooker)
	partners := make(map[directory.PartnerID]string)
	people := make(map[directory.PartnerID][]directory.Person)
	out := make([]Onlooker, len(looks))
	for i, look := range looks {
		of := credential{look.Partner, look.KeyID}
		who, done := known[of]
		if !done {
			name, asked := partners[look.Partner]
			if !asked {
				p, err := o.store.Partner(ctx, look.Partner)
				if unlessNotFound(err) != nil {
					return nil, err
				}
				name, partners[look.Partner] = p.Name, p.Name
			}
			var err error
			if directory.IsTokenKeyID(look.KeyID) {
				all, asked := people[look.Partner]
				if !asked {
					if all, err = o.store.People(ctx, look.Partner); err != nil {
						return nil, err
					}
					people[look.Partner] = all
				}
				who = personBehind(look.KeyID, all)
			} else if who, err = o.keyBehind(ctx, look.Partner, look.KeyID); err != nil {
				return nil, err
			}
			who.PartnerName = name
			known[of] = who
		}
		out[i] = who
	}
	return out, nil
}

// personBehind finds a person by the key ID of their tokens.
func personBehind(keyID string, people []directory.Person) Onlooker {
	for _, p := range people {
		if directory.TokenKeyID(p.Issuer, p.Subject) != keyID {
			continue
		}
		if !p.RemovedAt.IsZero() {
			return Onlooker{Name: p.Name, State: string(directory.Removed)}
		}
		return Onlooker{Name: p.Name, State: string(directory.Listed)}
	}
	return Onlooker{}
}

// keyBehind reads what is kept of a partner's access key.
func (o *Operator) keyBehind(ctx context.Context, partner directory.PartnerID, id string) (Onlooker, error) {
	key, err := o.store.GetAccessKey(ctx, id)
	if fault.Is(err, fault.NotFound) || err == nil && key.Partner != partner {
		return Onlooker{}, nil
	}
	return Onlooker{Name: key.Label, State: o.StateOf(key)}, err
}
