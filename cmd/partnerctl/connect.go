package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"partnerview/internal/dynamo"
	"partnerview/internal/operator"
)

// connection says where the tables are.
type connection struct {
	Stack    string       `placeholder:"NAME" help:"Take the tables of this deployed stack, instead of those that PARTNERS_TABLE, CUSTOMERS_TABLE, PRICELISTS_TABLE and USAGE_TABLE name."`
	Endpoint string       `placeholder:"URL" help:"A DynamoDB engine other than AWS's, such as the one that make run starts. One on this machine needs neither credentials nor a region. Default: DYNAMODB_ENDPOINT or AWS_ENDPOINT_URL_DYNAMODB."`
	Now      timeArgument `placeholder:"TIME" help:"Take this for the time, as 2026-06-01T00:00:00Z. Only with --endpoint: on AWS the past is the past."`
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
	case !c.Now.time.IsZero():
		return misuseError("--stack and --now exclude each other: on AWS the past is the past")
	case os.Getenv("DYNAMODB_ENDPOINT") != "":
		return misuseError("--stack is for tables on AWS, but DYNAMODB_ENDPOINT names another engine: unset it first")
	}
	return nil
}

// table is one of the four: where its name comes from, and where it goes.
type table struct {
	variable, output string
	name             func(*dynamo.Tables) *string
}

var (
	partnersTable   = table{"PARTNERS_TABLE", "PartnersTable", func(t *dynamo.Tables) *string { return &t.Partners }}
	customersTable  = table{"CUSTOMERS_TABLE", "CustomersTable", func(t *dynamo.Tables) *string { return &t.Customers }}
	priceListsTable = table{"PRICELISTS_TABLE", "PriceListsTable", func(t *dynamo.Tables) *string { return &t.PriceLists }}
	usageTable      = table{"USAGE_TABLE", "UsageTable", func(t *dynamo.Tables) *string { return &t.Usage }}
)

// operator connects to the tables that a command needs.
func (s *session) operator(needed ...table) (*operator.Operator, error) {
	if !s.connection.Now.time.IsZero() && s.connection.Endpoint == "" {
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
	return operator.New(dynamo.NewStore(db, tables), s.now), nil
}

// now is the time of the command's clock.
func (s *session) now() time.Time {
	if fixed := s.connection.Now.time; !fixed.IsZero() {
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
		return aws.Config{}, operator.Refusal("no AWS region: set AWS_REGION or AWS_PROFILE, or give --endpoint for an engine on this machine")
	}
	ctx, cancel := context.WithTimeout(ctx, credentialsTimeout)
	defer cancel()
	if _, err := account.Credentials.Retrieve(ctx); err != nil {
		return aws.Config{}, operator.Refusal("no AWS credentials: log in or set AWS_PROFILE, as for the AWS CLI, or give --endpoint for an engine on this machine")
	}
	return account, nil
}

func (c connection) tables(ctx context.Context, needed []table) (dynamo.Tables, error) {
	source := os.Getenv
	if c.Stack != "" {
		outputs, err := stackOutputs(ctx, c.Stack)
		if err != nil {
			return dynamo.Tables{}, err
		}
		source = func(variable string) string { return outputs[variable] }
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
		return tables, operator.Refusal(fmt.Sprintf("the stack %s has no output %s: is it one of Partnerview's?", c.Stack, strings.Join(missing, ", ")))
	}
	return tables, operator.Refusal(fmt.Sprintf("which tables? Set %s to their names, or give --stack NAME", strings.Join(missing, ", ")))
}

func stackOutputs(ctx context.Context, stack string) (map[string]string, error) {
	account, err := loadAccount(ctx)
	if err != nil {
		return nil, err
	}
	out, err := cloudformation.NewFromConfig(account).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &stack})
	if err != nil {
		return nil, fmt.Errorf("read the stack %s: %w", stack, err)
	}
	outputs := make(map[string]string)
	for _, s := range out.Stacks {
		for _, o := range s.Outputs {
			outputs[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
		}
	}
	return outputs, nil
}
