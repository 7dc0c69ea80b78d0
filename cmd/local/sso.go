package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"partnerview/internal/dev/local"
	"partnerview/internal/dev/local/issuer"
)

// demoIssuer is who may sign in with --sso: people of two partners of the sample
// data, one of a suspended partner, and a program.
var demoIssuer = issuer.Config{
	Users: []issuer.User{
		{Login: "nora@northwind.example", Password: "demo-northwind", Name: "Nora (Northwind)", Partner: "northwind"},
		{Login: "sami@southbank.example", Password: "demo-southbank", Name: "Sami (Southbank)", Partner: "southbank"},
		{Login: "edda@eastgate.example", Password: "demo-eastgate", Name: "Edda (Eastgate, suspended)",
			Partner: "eastgate"},
	},
	Programs: []issuer.Program{{ID: "southbank-export", Secret: "demo-program", Partner: "southbank"}},
}

// announceIssuer tells who may sign in, and how a program gets a token and uses it.
func announceIssuer(w io.Writer, stack *local.Stack) {
	fmt.Fprintf(w, "\nSingle sign-on at %s:\n", stack.Issuer.URL)
	columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, u := range demoIssuer.Users {
		fmt.Fprintf(columns, "  %s\t%s\t%s\n", u.Partner, u.Login, u.Password)
	}
	columns.Flush()
	for _, p := range demoIssuer.Programs {
		fmt.Fprintf(w, "\nA program of %s gets a token with its own secret, and uses it:\n", p.Partner)
		fmt.Fprintf(w, "  curl -H \"Authorization: Bearer $(%s)\" '%s/customers?limit=3'\n",
			tokenCommand(stack.Issuer.URL, p), stack.BaseURL)
	}
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
