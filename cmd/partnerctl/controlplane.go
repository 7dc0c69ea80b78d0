package main

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"partnerview/internal/directory"
	"partnerview/internal/fault"
)

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

func (c *controlPlane) FindKey(ctx context.Context, partner directory.PartnerID, id string) (directory.GatewayKey, error) {
	if id != "" {
		key, err := c.client.GetApiKey(ctx, &apigateway.GetApiKeyInput{ApiKey: &id, IncludeValue: aws.Bool(true)})
		if err == nil {
			return directory.GatewayKey{ID: aws.ToString(key.Id), Value: directory.Secret(aws.ToString(key.Value))}, nil
		}
		if !isNotFound(err) {
			return directory.GatewayKey{}, err
		}
	}
	name := c.name(partner) // it finds all names that begin so
	pages := apigateway.NewGetApiKeysPaginator(c.client, &apigateway.GetApiKeysInput{NameQuery: &name, IncludeValues: aws.Bool(true), Limit: aws.Int32(pageSize)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return directory.GatewayKey{}, err
		}
		for _, key := range page.Items {
			if aws.ToString(key.Name) == name {
				return directory.GatewayKey{ID: aws.ToString(key.Id), Value: directory.Secret(aws.ToString(key.Value))}, nil
			}
		}
	}
	return directory.GatewayKey{}, fault.New(fault.NotFound, "gateway key "+name, nil)
}

func (c *controlPlane) MakeKey(ctx context.Context, partner directory.PartnerID) (directory.GatewayKey, error) {
	key, err := c.client.CreateApiKey(ctx, &apigateway.CreateApiKeyInput{
		Name: aws.String(c.name(partner)), Enabled: true, // API Gateway makes up the value
		Description: aws.String("Counts the requests of a partner of Partnerview. Nobody sends it. Made by partnerctl."),
		Tags:        map[string]string{"partnerview:stack": c.stack, "partnerview:partner": string(partner)},
	}, func(o *apigateway.Options) {
		o.RetryMaxAttempts = 1 // an answer may have been lost, and two keys can have one name
	})
	if err != nil {
		return directory.GatewayKey{}, err
	}
	return directory.GatewayKey{ID: aws.ToString(key.Id), Value: directory.Secret(aws.ToString(key.Value))}, nil
}

func (c *controlPlane) DeleteKey(ctx context.Context, id string) error {
	_, err := c.client.DeleteApiKey(ctx, &apigateway.DeleteApiKeyInput{ApiKey: &id})
	return unlessNotFound(err)
}

func (c *controlPlane) PlansOf(ctx context.Context, id string) (in []directory.Plan, err error) {
	pages := apigateway.NewGetUsagePlansPaginator(c.client, &apigateway.GetUsagePlansInput{KeyId: &id, Limit: aws.Int32(pageSize)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, plan := range directory.Plans() {
			if slices.ContainsFunc(page.Items, func(p types.UsagePlan) bool { return aws.ToString(p.Id) == c.plans[plan] }) {
				in = append(in, plan)
			}
		}
	}
	return in, nil
}

func (c *controlPlane) Join(ctx context.Context, plan directory.Plan, id string) error {
	planID := c.plans[plan]
	_, err := c.client.CreateUsagePlanKey(ctx, &apigateway.CreateUsagePlanKeyInput{UsagePlanId: &planID, KeyId: &id, KeyType: aws.String("API_KEY")})
	var conflict *types.ConflictException
	if errors.As(err, &conflict) { // an earlier try may have come through
		if _, missing := c.client.GetUsagePlanKey(ctx, &apigateway.GetUsagePlanKeyInput{UsagePlanId: &planID, KeyId: &id}); missing == nil {
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
