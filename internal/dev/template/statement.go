package template

// Statement is one statement of a role's policy. Only Allow statements are
// modelled; a role with another kind is an error when the template is read.
type Statement struct {
	ID         string // its Sid; may be empty
	Actions    []string
	Resources  []string // ARNs, resolved
	Conditions []Condition
}

// Condition is one test of one condition key. All conditions of a statement
// must hold.
type Condition struct {
	Operator string   // "ForAllValues:StringEquals"
	Key      string   // "dynamodb:Attributes"
	Values   []string // any of them
}

// Statements are the rights of one role: what no statement allows is refused.
type Statements []Statement
