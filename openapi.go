// Package partnerview holds what belongs to the repository as a whole: the API's
// contract, openapi.yaml, which is served to partners and held against real
// answers by the tests.
package partnerview

import _ "embed"

//go:embed openapi.yaml
var contract string

// OpenAPI is the API's contract, openapi.yaml: OpenAPI 3.1 in YAML, UTF-8.
func OpenAPI() string { return contract }
