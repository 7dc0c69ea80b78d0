package template_test

import (
	"os"
	"testing"

	"partnerview/internal/dev/template"
)

// A template or a policy is read whole or refused, whatever it is.
//
//fuzz:reaches document.go:parse policy.go:ReadPolicy policy.go:readStatements policy.go:readStatement template.go:Parse
func FuzzTemplate(f *testing.F) {
	for _, path := range []string{"../../../template.yaml", "../../../docs/policies/audit.json", "../../../docs/policies/partnerctl.json", "../../../docs/policies/upload.json"} {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, seed := range []string{
		"", "a: &a [*a]", "Resources: {A: {Type: 'AWS::S3::Bucket', Properties: !Sub '${A}'}}", "Resources: {A: !Ref B}", "{", "Parameters: {A: {Type: Number, Default: x}}",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","NotAction":"x"}]}`, `{"Statement":[{"Effect":"Deny","Action":["a"],"Resource":1}]}`,
		"Resources:\n  A:\n    Type: AWS::Serverless::Function\n    Properties: {Events: {E: {Type: Api}}}\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if read, err := template.Parse(text, nil); (read == nil) == (err == nil) {
			t.Fatalf("%q is read as %v, %v", text, read, err)
		}
		_, _ = template.ReadPolicy(text)
	})
}
