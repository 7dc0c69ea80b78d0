package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"partnerview/internal/dev/local"
	"partnerview/internal/dev/local/issuer"
	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/importer"
	"partnerview/internal/operator"
	"partnerview/internal/usage"
)

// demoIssuer is who may sign in with --sso: people of two partners of the sample
// data, two of whom see not all of their partner's customers (demoLists), one of a suspended
// partner, and a program.
var demoIssuer = issuer.Config{
	Users: []issuer.User{
		{Login: "nora@northwind.example", Password: "demo-northwind", Name: "Nora (Northwind)", Partner: "northwind"},
		{Login: "nils@northwind.example", Password: "demo-three", Name: "Nils (Northwind, three customers)",
			Partner: "northwind"},
		{Login: "nele@northwind.example", Password: "demo-none", Name: "Nele (Northwind, no customer)",
			Partner: "northwind"},
		{Login: "sami@southbank.example", Password: "demo-southbank", Name: "Sami (Southbank)", Partner: "southbank"},
		{Login: "edda@eastgate.example", Password: "demo-eastgate", Name: "Edda (Eastgate, suspended)",
			Partner: "eastgate"},
	},
	Programs: []issuer.Program{{ID: "southbank-export", Secret: "demo-program", Partner: "southbank"}},
}

// demoLists are the people who see some of their partner's customers, or none, by login.
var demoLists = map[string][]importer.Grant{
	"nils@northwind.example": {
		{Account: "harbourline_freight", Products: []usage.Product{usage.SMS, usage.Voice}},
		{Account: "mueller_soehne"}, {Account: "kitebird"},
	},
	"nele@northwind.example": nil,
}

// listPeople gives the issuer's people of demoLists their customers, as "partnerctl viewer
// add" does. A list without customers is not the operator's to make: what is left of one is
// when the partner loses them.
func listPeople(ctx context.Context, o *operator.Operator, store *dynamo.Store, issuerURL string, now time.Time) error {
	for _, u := range demoIssuer.Users {
		list, narrowed := demoLists[u.Login]
		if !narrowed {
			continue
		}
		person := directory.Person{
			Partner: directory.PartnerID(u.Partner), Issuer: issuerURL, Subject: u.Login, Name: u.Name, CreatedAt: now,
		}
		if len(list) == 0 {
			if err := store.PutPerson(ctx, person); err != nil {
				return err
			}
			continue
		}
		plan, err := o.PlanPerson(ctx, person, list)
		if err != nil {
			return err
		}
		if err := o.Apply(ctx, plan); err != nil {
			return err
		}
	}
	return nil
}

// announceIssuer tells who may sign in, of whom the sample's people have lists where it was
// loaded, and how a program gets a token and uses it.
func announceIssuer(w io.Writer, stack *local.Stack, loaded bool) {
	fmt.Fprintf(w, "\nSingle sign-on at %s:\n", stack.Issuer.URL)
	columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, u := range demoIssuer.Users {
		fmt.Fprintf(columns, "  %s\t%s\t%s", u.Partner, u.Login, u.Password)
		if loaded {
			fmt.Fprint(columns, listed(u.Login))
		}
		fmt.Fprintln(columns)
	}
	columns.Flush()
	for _, p := range demoIssuer.Programs {
		fmt.Fprintf(w, "\nA program of %s gets a token with its own secret, and uses it:\n", p.Partner)
		fmt.Fprintf(w, "  curl -H \"Authorization: Bearer $(%s)\" '%s/customers?limit=3'\n",
			tokenCommand(stack.Issuer.URL, p), stack.BaseURL)
	}
}

// listed is a column that tells how much a person sees, where that is not all of a partner's
// customers.
func listed(login string) string {
	list, narrowed := demoLists[login]
	switch {
	case !narrowed:
		return ""
	case len(list) == 0:
		return "\tsees no customer"
	}
	return fmt.Sprintf("\tsees %d customers", len(list))
}

// tokenCommand prints a token for a program. It needs nothing but curl and sed.
func tokenCommand(at string, p issuer.Program) string {
	return fmt.Sprintf("curl -s -u %s:%s -d grant_type=client_credentials -d resource=%s %s/token | sed "+
		"'s/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/'",
		p.ID, p.Secret, issuer.Audience, at)
}

// readyIssuer is what the ready file has of the issuer.
type readyIssuer struct {
	URL      string           `json:"url"`
	ClientID string           `json:"clientId"`
	Audience string           `json:"audience"`
	Users    []issuer.User    `json:"users"`
	Programs []issuer.Program `json:"programs"`
}

func issuerOf(stack *local.Stack) *readyIssuer {
	if stack.Issuer == nil {
		return nil
	}
	return &readyIssuer{stack.Issuer.URL, issuer.ClientID, issuer.Audience, demoIssuer.Users, demoIssuer.Programs}
}
