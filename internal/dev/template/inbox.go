package template

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Bucket is an S3 bucket.
type Bucket struct {
	ID      string   // logical id: "InboxBucket"
	Name    string   // what a reference to it yields
	Tells   bool     // whether EventBridge is told of its objects
	Folders []string // beginnings of keys, of which an upload must have one: "native/"; nil: any key may be
}

// Rule is an EventBridge rule with one target, a state machine.
type Rule struct {
	ID         string            // logical id: "InboxRule"
	Pattern    map[string]any    // of the events: maps, lists and texts
	Target     string            // logical id of the state machine
	InputPaths map[string]string // name → "$.detail.object.key"
	Template   string            // of the input, with <name> for a value; empty: the event
	Retries    int
	MaxAge     time.Duration // of an event that is tried again
}

// StateMachine is a state machine of Step Functions.
type StateMachine struct {
	ID         string // logical id: "ImportStateMachine"
	Definition []byte // JSON, in the Amazon States Language, with its references resolved
}

// StateMachine finds a state machine by its logical id.
func (t *Template) StateMachine(id string) (StateMachine, bool) {
	return find(t.StateMachines, func(m StateMachine) bool { return m.ID == id })
}

func (rd *reading) bucket(id string) error {
	var p struct {
		NotificationConfiguration struct {
			EventBridgeConfiguration struct {
				EventBridgeEnabled bool `json:",string"`
			}
			LambdaConfigurations, QueueConfigurations, TopicConfigurations any
		}
	}
	if err := rd.properties(id, &p); err != nil {
		return err
	}
	n := p.NotificationConfiguration
	if n.LambdaConfigurations != nil || n.QueueConfigurations != nil || n.TopicConfigurations != nil {
		return errors.New("only EventBridge is understood as who is told of its objects")
	}
	rd.t.Buckets = append(rd.t.Buckets,
		Bucket{ID: id, Name: rd.values[id], Tells: n.EventBridgeConfiguration.EventBridgeEnabled})
	return nil
}

// bucketStatement is a statement of a bucket's policy.
type bucketStatement struct {
	Sid, Effect, Principal string
	Action                 string
	Resource               json.RawMessage
	NotResource            []string
	Condition              map[string]map[string]string
}

// bucketPolicy reads which uploads a policy denies by their keys. That nothing is allowed
// without TLS is passed over: it is no right. Anything else would be one that is not seen.
func (rd *reading) bucketPolicy(id string) error {
	var p struct {
		Bucket         string
		PolicyDocument struct {
			Version   string
			Statement []bucketStatement
		}
	}
	if err := rd.properties(id, &p); err != nil {
		return err
	}
	for _, s := range p.PolicyDocument.Statement {
		folders, err := s.folders(p.Bucket)
		if err != nil {
			return fmt.Errorf("statement %s: %w", s.Sid, err)
		}
		if folders != nil {
			rd.folders[p.Bucket] = folders
		}
	}
	return nil
}

func (s bucketStatement) folders(bucket string) (all []string, err error) {
	if s.Effect != "Deny" || s.Principal != "*" {
		return nil, errors.New("only what is denied to everybody is understood")
	}
	if s.Action == "s3:*" && s.NotResource == nil && len(s.Condition) == 1 &&
		s.Condition["Bool"]["aws:SecureTransport"] == "false" {
		return nil, nil
	}
	if s.Action != "s3:PutObject" || s.Resource != nil || s.Condition != nil {
		return nil, errors.New("only uploads to other keys, and calls without TLS, are understood as denied")
	}
	for _, arn := range s.NotResource {
		folder, within := strings.CutPrefix(arn, bucketARN(bucket)+"/")
		folder, open := strings.CutSuffix(folder, "*")
		if !within || !open || strings.ContainsAny(folder, "*?") {
			return nil, fmt.Errorf("%s is no beginning of the bucket's keys", arn)
		}
		all = append(all, folder)
	}
	return all, nil
}

func (rd *reading) rule(id string) error {
	var p struct {
		EventPattern       map[string]any
		ScheduleExpression string
		State              string
		Targets            []struct {
			Arn              string
			Input, InputPath string
			InputTransformer struct {
				InputPathsMap map[string]string
				InputTemplate string
			}
			RetryPolicy struct {
				MaximumRetryAttempts     *int `json:",string"`
				MaximumEventAgeInSeconds *int `json:",string"`
			}
		}
	}
	if err := rd.properties(id, &p); err != nil {
		return err
	}
	if p.ScheduleExpression != "" || p.State != "" || len(p.EventPattern) == 0 || len(p.Targets) != 1 {
		return errors.New("only a rule that is on, with a pattern and one target, is understood")
	}
	to := p.Targets[0]
	_, machine, isMachine := strings.Cut(to.Arn, ":stateMachine:")
	if !isMachine || to.Input != "" || to.InputPath != "" {
		return errors.New("only a state machine is understood as the target, with an input by a transformer or none")
	}
	r := Rule{ID: id, Pattern: p.EventPattern, Target: machine, InputPaths: to.InputTransformer.InputPathsMap,
		Template: to.InputTransformer.InputTemplate, Retries: 185, MaxAge: 24 * time.Hour} // EventBridge's own
	if n := to.RetryPolicy.MaximumRetryAttempts; n != nil {
		r.Retries = *n
	}
	if s := to.RetryPolicy.MaximumEventAgeInSeconds; s != nil {
		r.MaxAge = time.Duration(*s) * time.Second
	}
	rd.t.Rules = append(rd.t.Rules, r)
	return nil
}

func (rd *reading) stateMachine(id string) error {
	var p struct {
		Type                                   string
		DefinitionUri, DefinitionSubstitutions any
		Policies, Events                       any
	}
	if err := rd.properties(id, &p); err != nil {
		return err
	}
	if p.Type != "" && p.Type != "STANDARD" {
		return fmt.Errorf("a state machine that is %s is not understood, only STANDARD", p.Type)
	}
	if p.DefinitionUri != nil || p.DefinitionSubstitutions != nil || p.Events != nil {
		return errors.New("only a Definition that stands in the template is understood, and no events")
	}
	if p.Policies != nil {
		return errors.New("its rights must stand in its role, where they are seen, not in Policies")
	}
	properties, _ := rd.typed[id].(map[string]any)["Properties"].(map[string]any)
	definition, err := rd.resolve(properties["Definition"])
	if err != nil {
		return fmt.Errorf("its Definition: %w", err)
	}
	text, err := json.Marshal(definition)
	if err != nil {
		return fmt.Errorf("its Definition: %w", err)
	}
	rd.t.StateMachines = append(rd.t.StateMachines, StateMachine{ID: id, Definition: text})
	return nil
}

// inbox puts together what stands in several resources: which keys a bucket takes, and
// that rules lead to state machines.
func (rd *reading) inbox() error {
	for i, b := range rd.t.Buckets {
		rd.t.Buckets[i].Folders = rd.folders[b.Name]
	}
	for name := range rd.folders {
		if !slices.ContainsFunc(rd.t.Buckets, func(b Bucket) bool { return b.Name == name }) {
			return fmt.Errorf("a policy is of the bucket %s, which is not in the template", name)
		}
	}
	for _, r := range rd.t.Rules {
		if _, ok := rd.t.StateMachine(r.Target); !ok {
			return fmt.Errorf("%s: its target %s is not in the template", r.ID, r.Target)
		}
	}
	return nil
}
