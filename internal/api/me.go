package api

import (
	"context"
	"net/http"

	"partnerview/internal/directory"
	"partnerview/internal/fault"
	"partnerview/internal/problem"
	"partnerview/internal/usage"
)

// SelfReader reads what a viewer is told of itself.
type SelfReader interface {
	// Self counts a viewer's customers, and reads by which names it goes;
	// fault.NotFound: its partner is gone.
	Self(context.Context, directory.Identity) (directory.Self, error)
}

var getMe = Route{Pattern: "GET /me"}

// GetMe serves GET /me: who asks, of which partner, and how many customers they see.
func GetMe(env Env, store SelfReader) http.Handler {
	return env.mux(map[string]endpoint{getMe.Pattern: func(r *http.Request) (response, error) {
		viewer, err := env.viewer(r)
		if err != nil {
			return response{}, err
		}
		if err := readParams(r, getMe).err(); err != nil {
			return response{}, err
		}
		self, err := store.Self(r.Context(), viewer.Identity)
		if fault.Is(err, fault.NotFound) { // since it was let in: the authorizer will say so
			return response{}, problem.Unavailable
		}
		if err != nil {
			return response{}, err
		}
		body := meJSON{
			PartnerID: viewer.Partner, PartnerName: self.PartnerName, KeyID: viewer.KeyID,
			Customers: self.Customers, PartnerCustomers: self.PartnerCustomers, Narrowed: viewer.Narrowed != "",
		}
		if self.Label != "" {
			body.Label = &self.Label
		}
		return response{body: body, audit: &auditEntry{accounts: []usage.AccountID{}}}, nil
	}})
}

type meJSON struct {
	PartnerID        directory.PartnerID `json:"partnerId"`
	PartnerName      string              `json:"partnerName"`
	KeyID            string              `json:"keyId"`
	Label            *string             `json:"label"`
	Customers        *int                `json:"customers"`
	PartnerCustomers *int                `json:"partnerCustomers"`
	Narrowed         bool                `json:"narrowed"`
}
