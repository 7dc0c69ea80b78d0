package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
	"partnerview/internal/operator"
)

// connection says where the tables are.
type connection struct {
	Stack    string    `placeholder:"NAME" help:"Use the tables of this deployed stack, instead of those named by PARTNERS_TABLE, CUSTOMERS_TABLE, PRICELISTS_TABLE, USAGE_TABLE, TOTALS_TABLE and LEDGER_TABLE."`
	Endpoint string    `placeholder:"URL" help:"A DynamoDB engine other than AWS's, such as the one that make run starts. One on this machine needs neither credentials nor a region. Default: DYNAMODB_ENDPOINT or AWS_ENDPOINT_URL_DYNAMODB."`
	Now      time.Time `placeholder:"TIME" help:"Use this as the current time, such as 2026-06-01T00:00:00Z. Only with --endpoint: on AWS the past is the past."`
}

// AfterApply takes the endpoint from the environment where no flag gives it. An
// empty variable counts as none, which kong's own reading of variables does not.
func (c *connection) AfterApply() error {
	if c.Stack != "" && c.Endpoint != "" {
		return misuseError("--stack and --endpoint exclude each other: a stack's tables are on AWS")
	}
	c.Endpoint = cmp.Or(c.Endpoint, os.Getenv("DYNAMODB_ENDPOINT"), os.Getenv("AWS_ENDPOINT_URL_DYNAMODB"))
	return nil
}

// check finds what contradicts --stack: a stack's tables are where the stack is,
// and another engine would be asked for tables of the same names.
// AWS_ENDPOINT_URL_DYNAMODB may stand beside it: it is how AWS's own tools are
// told of another way to AWS.
func (c connection) check() error {
	switch {
	case c.Stack == "":
	case !c.Now.IsZero():
		return misuseError("--stack and --now exclude each other: on AWS the past is the past")
	case os.Getenv("DYNAMODB_ENDPOINT") != "":
		return misuseError("--stack is for tables on AWS, but DYNAMODB_ENDPOINT names another engine: unset it first")
	}
	return nil
}

// table is one of the six: where its name comes from, and where it goes.
type table struct {
	variable, output string
	name             func(*dynamo.Tables) *string
}

var (
	partnersTable   = table{"PARTNERS_TABLE", "PartnersTable", func(t *dynamo.Tables) *string { return &t.Partners }}
	customersTable  = table{"CUSTOMERS_TABLE", "CustomersTable", func(t *dynamo.Tables) *string { return &t.Customers }}
	priceListsTable = table{"PRICELISTS_TABLE", "PriceListsTable",
		func(t *dynamo.Tables) *string { return &t.PriceLists }}
	usageTable  = table{"USAGE_TABLE", "UsageTable", func(t *dynamo.Tables) *string { return &t.Usage }}
	totalsTable = table{"TOTALS_TABLE", "TotalsTable", func(t *dynamo.Tables) *string { return &t.Totals }}
	ledgerTable = table{"LEDGER_TABLE", "LedgerTable", func(t *dynamo.Tables) *string { return &t.Ledger }}
)

func isLedger(t table) bool { return t.variable == ledgerTable.variable }

func allTables() []table {
	return []table{partnersTable, customersTable, priceListsTable, usageTable, totalsTable, ledgerTable}
}

// operator connects to the tables that a command needs.
func (s *session) operator(needed ...table) (*operator.Operator, error) {
	if !s.connection.Now.IsZero() && s.connection.Endpoint == "" {
		return nil, misuseError("--now is only for an engine of your own: give --endpoint too")
	}
	db, err := s.connection.database(s.ctx)
	if err != nil {
		return nil, err
	}
	tables, err := s.connection.tables(s.ctx, needed)
	if err != nil {
		return nil, err
	}
	o := operator.New(dynamo.NewStore(db, tables), s.now)
	o.Waiting, o.Counting = s.waiting(), s.counting()
	return o, nil
}

// now is the time of the command's clock.
func (s *session) now() time.Time {
	if fixed := s.connection.Now; !fixed.IsZero() {
		return fixed
	}
	return time.Now()
}

func (c connection) database(ctx context.Context) (*dynamodb.Client, error) {
	if c.Endpoint != "" {
		local, err := dynamo.IsLoopback(c.Endpoint)
		if err != nil {
			return nil, misuseError(err.Error())
		}
		if local {
			return dynamo.NewClient(func(name string) string {
				if name == "AWS_ENDPOINT_URL_DYNAMODB" {
					return c.Endpoint
				}
				return os.Getenv(name)
			})
		}
	}
	account, err := loadAccount(ctx)
	if err != nil {
		return nil, err
	}
	return dynamodb.NewFromConfig(account, func(o *dynamodb.Options) {
		if c.Endpoint != "" {
			o.BaseEndpoint = &c.Endpoint
		}
	}), nil
}

// credentialsTimeout bounds the look for credentials: where there are none, the
// last place asked is a network address that does not answer.
const credentialsTimeout = 10 * time.Second

// loadAccount finds the AWS account as the AWS CLI does: environment, profiles,
// single sign-on, the role of the machine.
func loadAccount(ctx context.Context) (aws.Config, error) {
	account, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return aws.Config{}, fmt.Errorf("read the AWS configuration: %w", err)
	}
	if account.Region == "" {
		return aws.Config{},
			operator.UserError("no AWS region: set AWS_REGION or AWS_PROFILE, or give --endpoint for an engine on " +
				"this machine")
	}
	ctx, cancel := context.WithTimeout(ctx, credentialsTimeout)
	defer cancel()
	if _, err := account.Credentials.Retrieve(ctx); err != nil {
		return aws.Config{},
			operator.UserError("no AWS credentials: log in or set AWS_PROFILE, as for the AWS CLI, " +
				"or give --endpoint for an engine on this machine")
	}
	return account, nil
}

func (c connection) tables(ctx context.Context, needed []table) (dynamo.Tables, error) {
	source := os.Getenv
	if c.Stack != "" {
		d, err := describeStack(ctx, c.Stack)
		if err != nil {
			return dynamo.Tables{}, err
		}
		source = func(variable string) string { return d.outputs[variable] }
	}
	var tables dynamo.Tables
	var missing []string
	for _, t := range needed {
		from := t.variable
		if c.Stack != "" {
			from = t.output
		}
		if *t.name(&tables) = source(from); *t.name(&tables) == "" {
			missing = append(missing, from)
		}
	}
	switch {
	case len(missing) == 0:
		return tables, nil
	case c.Stack != "":
		return tables, operator.UserError(fmt.Sprintf("the stack %s has no output %s: is it one of Partnerview's?",
			c.Stack, strings.Join(missing, ", ")))
	}
	return tables, operator.UserError(fmt.Sprintf("which tables? Set %s to their names, or give --stack NAME",
		strings.Join(missing, ", ")))
}

// deployed is what a stack says of itself.
type deployed struct{ outputs, parameters map[string]string }

func describeStack(ctx context.Context, stack string) (deployed, error) {
	account, err := loadAccount(ctx)
	if err != nil {
		return deployed{}, err
	}
	out, err := cloudformation.NewFromConfig(account).DescribeStacks(ctx,
		&cloudformation.DescribeStacksInput{StackName: &stack})
	if err != nil {
		return deployed{}, fmt.Errorf("read the stack %s: %w", stack, err)
	}
	d := deployed{make(map[string]string), make(map[string]string)}
	for _, s := range out.Stacks {
		for _, o := range s.Outputs {
			d.outputs[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
		}
		for _, p := range s.Parameters {
			d.parameters[aws.ToString(p.ParameterKey)] = aws.ToString(p.ParameterValue)
		}
	}
	return d, nil
}

// setting is a parameter of the stack or, where there is none, a variable of the environment.
func (c connection) setting(ctx context.Context, parameter, variable string) (string, error) {
	if c.Stack == "" {
		return os.Getenv(variable), nil
	}
	d, err := describeStack(ctx, c.Stack)
	return d.parameters[parameter], err
}

// issuer is the OIDC issuer whose tokens the product takes.
func (c connection) issuer(ctx context.Context) (string, error) {
	issuer, err := c.setting(ctx, "OidcIssuer", "OIDC_ISSUER")
	switch {
	case err != nil || issuer != "":
		return issuer, err
	case c.Stack != "":
		return "", operator.UserError(fmt.Sprintf("which issuer? The stack %s has none, so nobody signs in: "+
			"deploy it with OidcIssuer, or name the issuer with --issuer, in a file as issuer", c.Stack))
	}
	return "", operator.UserError("which issuer? Set OIDC_ISSUER to the stack's, give --stack, " +
		"or name the issuer with --issuer, in a file as issuer")
}

// defaultAccess is what a person sees of whom nothing is said; empty: it is not known.
func (c connection) defaultAccess(ctx context.Context) (directory.DefaultAccess, error) {
	text, err := c.setting(ctx, "OidcDefaultAccess", "OIDC_DEFAULT_ACCESS")
	return directory.DefaultAccess(text), err
}

// planOutputs are the stack's outputs that hold the plans' ids.
var planOutputs = map[directory.Plan]string{directory.Bronze: "BronzePlan", directory.Silver: "SilverPlan",
	directory.Gold: "GoldPlan"}

// gateway connects to the control plane that has the stack's plans.
func (c connection) gateway(s *session) (operator.Gateway, error) {
	d, err := describeStack(s.ctx, c.Stack)
	if err != nil {
		return nil, err
	}
	plans := make(map[directory.Plan]string)
	for plan, output := range planOutputs {
		if plans[plan] = d.outputs[output]; plans[plan] == "" {
			return nil, operator.UserError(fmt.Sprintf("the stack %s has no usage plans: "+
				"deploy it with UsagePlans=prepared first; docs/deploy.md has the steps", c.Stack))
		}
	}
	account, err := loadAccount(s.ctx)
	if err != nil {
		return nil, err
	}
	return &controlPlane{apigateway.NewFromConfig(account), c.Stack, plans}, nil
}

// controlPlane is API Gateway's own API, for the keys of one stack. A key is
// named by the stack and the partner, so that one that an interrupted command
// made is found again. Values of keys are never part of an error here.
type controlPlane struct {
	client *apigateway.Client
	stack  string
	plans  map[directory.Plan]string // ids
}

const pageSize = 500 // the most that API Gateway lists at once

func (c *controlPlane) name(partner directory.PartnerID) string {
	return c.stack + "/" + string(partner)
}

func (c *controlPlane) FindKey(
	ctx context.Context, partner directory.PartnerID, id string,
) (directory.GatewayKey, error) {
	if id != "" {
		key, err := c.client.GetApiKey(ctx, &apigateway.GetApiKeyInput{ApiKey: &id, IncludeValue: aws.Bool(true)})
		if err == nil {
			return gatewayKey(key.Id, key.Value), nil
		}
		if !isNotFound(err) {
			return directory.GatewayKey{}, err
		}
	}
	name := c.name(partner) // it finds all names that begin so
	pages := apigateway.NewGetApiKeysPaginator(c.client,
		&apigateway.GetApiKeysInput{NameQuery: &name, IncludeValues: aws.Bool(true), Limit: aws.Int32(pageSize)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return directory.GatewayKey{}, err
		}
		for _, key := range page.Items {
			if aws.ToString(key.Name) == name {
				return gatewayKey(key.Id, key.Value), nil
			}
		}
	}
	return directory.GatewayKey{}, fault.New(fault.NotFound, "gateway key "+name, nil)
}

func (c *controlPlane) MakeKey(ctx context.Context, partner directory.PartnerID) (directory.GatewayKey, error) {
	key, err := c.client.CreateApiKey(ctx, &apigateway.CreateApiKeyInput{
		Name: aws.String(c.name(partner)), Enabled: true, // API Gateway makes up the value
		Description: aws.String("Counts the requests of a partner of Partnerview. Nobody sends it. " +
			"Made by partnerctl."),
		Tags: map[string]string{"partnerview:stack": c.stack, "partnerview:partner": string(partner)},
	}, func(o *apigateway.Options) {
		o.RetryMaxAttempts = 1 // an answer may have been lost, and two keys can have one name
	})
	if err != nil {
		return directory.GatewayKey{}, err
	}
	return gatewayKey(key.Id, key.Value), nil
}

func gatewayKey(id, value *string) directory.GatewayKey {
	return directory.GatewayKey{ID: aws.ToString(id), Value: directory.Secret(aws.ToString(value))}
}

func (c *controlPlane) DeleteKey(ctx context.Context, id string) error {
	_, err := c.client.DeleteApiKey(ctx, &apigateway.DeleteApiKeyInput{ApiKey: &id})
	return unlessNotFound(err)
}

func (c *controlPlane) PlansOf(ctx context.Context, id string) (in []directory.Plan, err error) {
	pages := apigateway.NewGetUsagePlansPaginator(c.client,
		&apigateway.GetUsagePlansInput{KeyId: &id, Limit: aws.Int32(pageSize)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, plan := range directory.Plans() {
			if slices.ContainsFunc(page.Items,
				func(p types.UsagePlan) bool { return aws.ToString(p.Id) == c.plans[plan] }) {
				in = append(in, plan)
			}
		}
	}
	return in, nil
}

func (c *controlPlane) Join(ctx context.Context, plan directory.Plan, id string) error {
	planID := c.plans[plan]
	_, err := c.client.CreateUsagePlanKey(ctx,
		&apigateway.CreateUsagePlanKeyInput{UsagePlanId: &planID, KeyId: &id, KeyType: aws.String("API_KEY")})
	var conflict *types.ConflictException
	if errors.As(err, &conflict) { // an earlier try may have come through
		if _, missing := c.client.GetUsagePlanKey(ctx,
			&apigateway.GetUsagePlanKeyInput{UsagePlanId: &planID, KeyId: &id}); missing == nil {
			return nil
		}
	}
	return err
}

func (c *controlPlane) Leave(ctx context.Context, plan directory.Plan, id string) error {
	planID := c.plans[plan]
	_, err := c.client.DeleteUsagePlanKey(ctx, &apigateway.DeleteUsagePlanKeyInput{UsagePlanId: &planID, KeyId: &id})
	return unlessNotFound(err)
}

func isNotFound(err error) bool {
	var none *types.NotFoundException
	return errors.As(err, &none)
}

func unlessNotFound(err error) error {
	if isNotFound(err) {
		return nil
	}
	return err
}
