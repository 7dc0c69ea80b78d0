package main

import (
	"context"
	"os/user"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// unknownCaller is who acts, where that cannot be found out.
const unknownCaller = "unknown"

// callerTimeout bounds the question who we are: what is to be done does not wait for it.
const callerTimeout = 3 * time.Second

// who is in whose name the command acts, for the ledger: on AWS the caller's ARN, on an engine of
// one's own the user of this machine. It is asked once.
func (s *session) who() string {
	if s.caller == "" {
		s.caller = unknownCaller
		if name, err := s.askWho(); err == nil && name != "" {
			s.caller = name
		}
	}
	return s.caller
}

func (s *session) askWho() (string, error) {
	if s.connection.Stack == "" && s.connection.Endpoint != "" {
		person, err := user.Current()
		if err != nil {
			return "", err
		}
		return person.Username, nil
	}
	ctx, cancel := context.WithTimeout(s.ctx, callerTimeout)
	defer cancel()
	account, err := loadAccount(ctx)
	if err != nil {
		return "", err
	}
	caller, err := sts.NewFromConfig(account).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", err
	}
	return aws.ToString(caller.Arn), nil
}
