package template

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// UsagePlan is how fast and how often the holder of a key may ask.
type UsagePlan struct {
	ID          string // logical id: "BronzePlan"
	Name        string
	Stages      []string // of which APIs: "Api/v1"
	Rate        float64  // requests a second
	Burst       int      // requests at once
	Quota       int      // requests in a Period
	QuotaPeriod string   // "MONTH"
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
	plan := UsagePlan{ID: id, Name: p.UsagePlanName, Rate: p.Throttle.RateLimit, Burst: p.Throttle.BurstLimit, Quota: p.Quota.Limit, QuotaPeriod: p.Quota.Period}
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
	decoder := json.NewDecoder(bytes.NewReader(source))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
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
