package template

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

func (rd *reading) gateway(id string) error {
	var p struct {
		StageName              string
		MinimumCompressionSize *int `json:",string"`
		DefinitionUri          any
		DefinitionBody         json.RawMessage
		MergeDefinitions       bool `json:",string"`
		ApiKeySourceType       string
		Auth                   struct {
			DefaultAuthorizer string
			Authorizers       map[string]struct {
				FunctionArn, FunctionPayloadType string
				Identity                         struct {
					Headers, Context             []string
					QueryStrings, StageVariables []string
					ReauthorizeEvery             *int `json:",string"`
				}
			}
		}
		GatewayResponses map[string]struct {
			StatusCode         int `json:",string"`
			ResponseParameters struct{ Headers map[string]string }
			ResponseTemplates  map[string]string
		}
	}
	if err := rd.properties(id, &p); err != nil {
		return err
	}
	if rd.api != "" {
		return fmt.Errorf("there is an API already, %s; one is understood", rd.api)
	}
	if p.DefinitionUri != nil || p.DefinitionBody != nil && !p.MergeDefinitions {
		return fmt.Errorf("a definition of its own may hold routes that are not seen here; " +
			"write them as the functions' events")
	}
	var err error
	if rd.metered, err = readDefinition(p.DefinitionBody); err != nil {
		return fmt.Errorf("definition: %w", err)
	}
	rd.t.KeySource = cmp.Or(p.ApiKeySourceType, "HEADER")
	rd.api, rd.standard = id, p.Auth.DefaultAuthorizer
	rd.t.Stage = p.StageName
	rd.t.CompressFrom = -1
	if p.MinimumCompressionSize != nil {
		rd.t.CompressFrom = *p.MinimumCompressionSize
	}
	for name, a := range p.Auth.Authorizers {
		if a.FunctionPayloadType != "REQUEST" {
			return fmt.Errorf("authorizer %s: only REQUEST is understood", name)
		}
		if a.Identity.QueryStrings != nil || a.Identity.StageVariables != nil {
			return fmt.Errorf("authorizer %s: only headers and the context are understood as identity sources", name)
		}
		ttl := 300 // what API Gateway takes where the template does not say
		if a.Identity.ReauthorizeEvery != nil {
			ttl = *a.Identity.ReauthorizeEvery
		}
		_, function, _ := strings.Cut(a.FunctionArn, ":function:")
		rd.t.Authorizers = append(rd.t.Authorizers, Authorizer{
			Name: name, Function: function, Headers: a.Identity.Headers, Context: a.Identity.Context,
			TTL: time.Duration(ttl) * time.Second,
		})
	}
	slices.SortFunc(rd.t.Authorizers, func(a, b Authorizer) int { return cmp.Compare(a.Name, b.Name) })
	for typ, g := range p.GatewayResponses {
		response := GatewayResponse{Type: typ, Status: g.StatusCode, Headers: make(map[string]string),
			body: g.ResponseTemplates["application/json"]}
		for name, v := range g.ResponseParameters.Headers {
			if len(v) < 2 || v[0] != '\'' || v[len(v)-1] != '\'' {
				return fmt.Errorf("gateway response %s: header %s: only a fixed text in single quotes is understood",
					typ, name)
			}
			response.Headers[name] = v[1 : len(v)-1]
		}
		rd.t.GatewayResponses = append(rd.t.GatewayResponses, response)
	}
	slices.SortFunc(rd.t.GatewayResponses, func(a, b GatewayResponse) int { return cmp.Compare(a.Type, b.Type) })
	return nil
}

// anyMethod is API Gateway's word for all methods, in the OpenAPI that it reads.
const anyMethod = "x-amazon-apigateway-any-method"

// routes turns the functions' events into routes.
func (rd *reading) routes() error {
	for _, e := range rd.events {
		method := strings.ToUpper(e.Method)
		switch method {
		case "ANY":
			return fmt.Errorf("%s: %s %s: where definitions are merged, SAM makes of ANY a method that API Gateway "+
				"does not know; write %s",
				e.function, e.Method, e.Path, anyMethod)
		case strings.ToUpper(anyMethod):
			method = "ANY"
		}
		route := Route{Method: method, Path: e.Path, Function: e.function, Authorizer: e.Auth.Authorizer}
		if e.RestApiId != rd.api {
			return fmt.Errorf("%s: %s %s: it must name the template's API, or it makes one of its own",
				e.function, e.Method, e.Path)
		}
		switch route.Authorizer {
		case "":
			route.Authorizer = rd.standard
		case "NONE":
			route.Authorizer = ""
		}
		if _, ok := rd.t.Authorizer(route.Authorizer); !ok && route.Authorizer != "" {
			return fmt.Errorf("%s: %s %s: there is no authorizer %s", e.function, e.Method, e.Path, route.Authorizer)
		}
		name := route.Method + " " + route.Path
		route.Metered = rd.metered[name]
		delete(rd.metered, name)
		rd.t.Routes = append(rd.t.Routes, route)
	}
	for name := range rd.metered {
		return fmt.Errorf("%s: the API's definition names it, and no function answers it", name)
	}
	slices.SortFunc(rd.t.Routes, func(a, b Route) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method))
	})
	return nil
}

func (rd *reading) plan(id string) error {
	var p struct {
		UsagePlanName string
		ApiStages     []struct{ ApiId, Stage string }
		Throttle      struct {
			RateLimit  float64 `json:",string"`
			BurstLimit int     `json:",string"`
		}
		Quota struct {
			Limit  int `json:",string"`
			Period string
		}
	}
	if err := rd.properties(id, &p); err != nil {
		return err
	}
	plan := UsagePlan{ID: id, Name: p.UsagePlanName, Rate: p.Throttle.RateLimit, Burst: p.Throttle.BurstLimit,
		Quota: p.Quota.Limit, QuotaPeriod: p.Quota.Period}
	for _, s := range p.ApiStages {
		plan.Stages = append(plan.Stages, s.ApiId+"/"+s.Stage)
	}
	rd.t.UsagePlans = append(rd.t.UsagePlans, plan)
	return nil
}

// readDefinition reads what is merged into SAM's own definition of the API: which
// routes are answered only to a key of a usage plan. Anything else in it would be
// a route or a right that is not seen here.
func readDefinition(source json.RawMessage) (metered map[string]bool, err error) {
	if source == nil {
		return nil, nil
	}
	type scheme struct{ Type, Name, In string }
	var d struct {
		OpenAPI             string
		Info                struct{ Title, Version string }
		SecurityDefinitions map[string]scheme
		Paths               map[string]map[string]struct{ Security []map[string][]string }
	}
	if err := decodeStrictly(source, &d); err != nil {
		return nil, err
	}
	for name, s := range d.SecurityDefinitions {
		if name != "api_key" || s != (scheme{"apiKey", "x-api-key", "header"}) {
			return nil, fmt.Errorf("the security scheme %s is not understood", name)
		}
	}
	metered = make(map[string]bool)
	for path, methods := range d.Paths {
		for method, m := range methods {
			name := strings.ToUpper(method) + " " + path
			metered[name] = false
			for _, security := range m.Security {
				_, key := security["api_key"]
				if !key || len(security) != 1 || len(d.SecurityDefinitions) == 0 {
					return nil, fmt.Errorf("%s: only the defined api_key is understood as security", name)
				}
				metered[name] = true
			}
		}
	}
	return metered, nil
}
