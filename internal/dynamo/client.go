package dynamo

import (
	"context"
	"fmt"
	"net"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// Tables are the names of the six tables. A command or function that does not
// use a table leaves its name empty.
type Tables struct {
	Partners, Customers, PriceLists, Usage, Totals, Ledger string
}

// TablesFromEnv reads PARTNERS_TABLE, CUSTOMERS_TABLE, PRICELISTS_TABLE, USAGE_TABLE,
// TOTALS_TABLE and LEDGER_TABLE, which template.yaml gives to each function as far as it may read.
func TablesFromEnv(getenv func(string) string) Tables {
	return Tables{
		Partners:   getenv("PARTNERS_TABLE"),
		Customers:  getenv("CUSTOMERS_TABLE"),
		PriceLists: getenv("PRICELISTS_TABLE"),
		Usage:      getenv("USAGE_TABLE"),
		Totals:     getenv("TOTALS_TABLE"),
		Ledger:     getenv("LEDGER_TABLE"),
	}
}

// NewClient makes a client from the variables that Lambda sets (AWS_REGION, the
// role's credentials) and AWS_ENDPOINT_URL_DYNAMODB, which points at another
// engine. An endpoint on this machine needs neither region nor credentials.
//
// The SDK's config module does more (profiles, single sign-on, instance roles)
// and costs a fifth of a cold start; commands use it, functions have no need.
func NewClient(getenv func(string) string, options ...func(*dynamodb.Options)) (*dynamodb.Client, error) {
	o := dynamodb.Options{Region: getenv("AWS_REGION"), Retryer: retryer()}
	creds := aws.Credentials{
		AccessKeyID:     getenv("AWS_ACCESS_KEY_ID"),
		SecretAccessKey: getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken:    getenv("AWS_SESSION_TOKEN"),
		Source:          "environment",
	}
	if endpoint := getenv("AWS_ENDPOINT_URL_DYNAMODB"); endpoint != "" {
		local, err := IsLoopback(endpoint)
		if err != nil {
			return nil, err
		}
		o.BaseEndpoint = &endpoint
		if local && creds.AccessKeyID == "" {
			creds.AccessKeyID, creds.SecretAccessKey = "local", "local"
		}
		if local && o.Region == "" {
			o.Region = "us-east-1"
		}
	}
	if o.Region == "" {
		return nil, fmt.Errorf("no AWS region: set AWS_REGION, or AWS_ENDPOINT_URL_DYNAMODB for an engine on this " +
			"machine")
	}
	o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return creds, nil })
	return dynamodb.New(o, options...), nil
}

// IsLoopback reports whether an endpoint's URL names this very machine.
func IsLoopback(endpoint string) (bool, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return false, fmt.Errorf("the DynamoDB endpoint %q is not a URL such as http://127.0.0.1:8000", endpoint)
	}
	host := u.Hostname()
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback(), nil
}

// engineIsHere reports whether the engine is one on this machine.
func (s *Store) engineIsHere() bool {
	endpoint := s.db.Options().BaseEndpoint
	if endpoint == nil {
		return false
	}
	local, err := IsLoopback(*endpoint)
	return err == nil && local
}
