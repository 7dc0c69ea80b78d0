package template

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Where nothing is deployed, references to the account and its region yield
// these. 123456789012 is the account number of AWS's own examples.
var pseudoParameters = map[string]string{
	"AWS::AccountId": "123456789012",
	"AWS::Partition": "aws",
	"AWS::Region":    "us-east-1",
	"AWS::StackName": "partnerview",
	"AWS::URLSuffix": "amazonaws.com",
}

func (r *resolver) ref(id string) (string, error) {
	if v, ok := pseudoParameters[id]; ok {
		return v, nil
	}
	if v, ok := r.values[id]; ok {
		return v, nil
	}
	if api, ok := strings.CutSuffix(id, ".Stage"); ok && r.resources[api]["Type"] == typeAPI { // SAM's own resource
		properties, _ := r.resources[api]["Properties"].(map[string]any)
		stage, ok := properties["StageName"].(string)
		if ok {
			return stage, nil
		}
	}
	return "", fmt.Errorf("reference to %q: there is no such parameter or resource", id)
}

var placeholder = regexp.MustCompile(`\$\{[^}]*\}`)

// sub fills in ${Name} and ${Name.Attribute}; ${!x} stands for the text ${x}.
func (r *resolver) sub(text string) (string, error) {
	var faults []error
	filled := placeholder.ReplaceAllStringFunc(text, func(p string) string {
		name := p[2 : len(p)-1]
		if literal, ok := strings.CutPrefix(name, "!"); ok {
			return "${" + literal + "}"
		}
		var v string
		var err error
		if id, attribute, ok := strings.Cut(name, "."); ok {
			v, err = r.attribute(id, attribute)
		} else {
			v, err = r.ref(name)
		}
		if err != nil {
			faults = append(faults, err)
		}
		return v
	})
	return filled, errors.Join(faults...)
}

// attribute is what !GetAtt yields. Only ARNs are ever asked for.
func (r *resolver) attribute(id, attribute string) (string, error) {
	resource, ok := r.resources[id]
	if !ok {
		return "", fmt.Errorf("%s.%s: there is no such resource", id, attribute)
	}
	if attribute != "Arn" {
		return "", fmt.Errorf("%s.%s: only Arn is understood", id, attribute)
	}
	name := r.values[id]
	switch resource["Type"] {
	case typeTable:
		return tableARN(name), nil
	case typeFunction:
		return arn("lambda", "function:"+name), nil
	case typeLogGroup:
		return arn("logs", "log-group:"+name+":*"), nil
	case typeRole:
		return fmt.Sprintf("arn:%s:iam::%s:role/%s", pseudoParameters["AWS::Partition"], pseudoParameters["AWS::AccountId"], name), nil
	}
	return "", fmt.Errorf("%s.Arn: the ARN of a %v is not understood", id, resource["Type"])
}

func arn(service, resource string) string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", pseudoParameters["AWS::Partition"], service,
		pseudoParameters["AWS::Region"], pseudoParameters["AWS::AccountId"], resource)
}

func tableARN(name string) string        { return arn("dynamodb", "table/"+name) }
func indexARN(table, name string) string { return tableARN(table) + "/index/" + name }
