package api

import (
	"net/http"

	"partnerview/internal/fault"
	"partnerview/internal/pricing"
	"partnerview/internal/usage"
)

// shown is what an answer shows, and of whom: what the audit line tells.
type shown struct {
	accounts []usage.AccountID // of a list as many as it holds, else the one
	product  usage.Product     // of a log; empty: the customers themselves
	records  int               // customers or records of usage
	unrated  int               // records without a price
}

// count counts a record's price.
func (s *shown) count(p pricing.Price) {
	if p.Outcome == pricing.Unrated {
		s.unrated++
	}
}

// audit writes the line that says who is about to be shown what of which
// customer: one for each answer with data, before it leaves, a page without
// records included, since that tells something too. An endpoint that does not say
// what it shows is refused here, so that none can forget.
func (e Env) audit(r *http.Request, s *shown) error {
	if s == nil {
		return fault.New(fault.Internal, "the endpoint does not say what it shows", nil)
	}
	viewer, err := e.viewer(r)
	if err != nil {
		return err
	}
	e.Log.InfoContext(r.Context(), "shown", "audit", true, "requestId", e.RequestID(r.Context()), "route", r.Pattern,
		"partnerId", viewer.Partner, "keyId", viewer.KeyID, "accountIds", s.accounts, "product", s.product, "records", s.records)
	if e.Shown != nil {
		e.Shown(r.Context(), s.records, s.unrated)
	}
	return nil
}
