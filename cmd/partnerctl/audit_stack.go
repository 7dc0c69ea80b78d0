package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"partnerview/internal/operator"
	"partnerview/internal/usage"
)

// The audit lines of a deployed stack: CloudWatch Logs Insights over the log groups of
// the functions that show data.

const (
	// maxRows is how many lines a query may find: where it finds so many, there may be more.
	maxRows = 10_000
	// logCallTimeout bounds a call, with its repetitions; logQueryTimeout all that a query takes.
	logCallTimeout  = time.Minute
	logQueryTimeout = 15 * time.Minute
	// logAttempts is how often a call is made: queries of others may use up what the
	// account may ask at a time.
	logAttempts = 8
	// stopQueryTimeout is what is left to an interrupted command for ending its query.
	stopQueryTimeout = time.Second
	// logLag is how much later than its own time a line may have come to its log.
	logLag = time.Minute
)

// holdsAudit reports whether a log group of the template may hold audit lines: all do but
// these, so that a function that is added is not forgotten.
func holdsAudit(logicalID string) bool {
	switch logicalID {
	case "AccessLogs", "AuthorizerLogs", "DashboardLogs", "ImportUsageLogs":
		return false
	}
	return true
}

// stackLogs are a stack's log groups.
type stackLogs struct {
	client *cloudwatchlogs.Client
	groups []readLog
	say    func(format string, values ...any)

	seen map[string]bool // of the lines that were taken, by CloudWatch's pointers
}

// stackLogs finds the log groups of the stack.
func (s *session) stackLogs() (*stackLogs, error) {
	account, err := loadAccount(s.ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(s.ctx, logCallTimeout)
	defer cancel()
	names, err := auditGroups(ctx, account, s.connection.Stack)
	if err != nil {
		return nil, err
	}
	l := &stackLogs{
		client: cloudwatchlogs.NewFromConfig(account, func(o *cloudwatchlogs.Options) {
			if o.RetryMaxAttempts == 0 {
				o.RetryMaxAttempts = logAttempts
			}
		}),
		say:  func(format string, values ...any) { fmt.Fprintf(s.std.err, format, values...) },
		seen: make(map[string]bool),
	}
	for _, name := range names {
		group, err := l.group(ctx, name, s.now())
		if err != nil {
			return nil, err
		}
		l.groups = append(l.groups, group)
	}
	return l, nil
}

// auditGroups are the names of the stack's log groups that may hold audit lines.
func auditGroups(ctx context.Context, account aws.Config, stack string) (names []string, err error) {
	pages := cloudformation.NewListStackResourcesPaginator(cloudformation.NewFromConfig(account),
		&cloudformation.ListStackResourcesInput{StackName: &stack})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("read the stack %s: %w", stack, err)
		}
		for _, r := range page.StackResourceSummaries {
			if aws.ToString(r.ResourceType) == "AWS::Logs::LogGroup" && holdsAudit(aws.ToString(r.LogicalResourceId)) {
				names = append(names, aws.ToString(r.PhysicalResourceId))
			}
		}
	}
	if len(names) == 0 {
		return nil, operator.UserError(fmt.Sprintf("the stack %s has no logs of functions: "+
			"is it one of Partnerview's?", stack))
	}
	slices.Sort(names)
	return names, nil
}

// group reads since when a log group has its lines: since it was made, or as long as it
// keeps them.
func (l *stackLogs) group(ctx context.Context, name string, now time.Time) (readLog, error) {
	pages := cloudwatchlogs.NewDescribeLogGroupsPaginator(l.client,
		&cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: &name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return readLog{}, fmt.Errorf("read the log group %s: %w", name, err)
		}
		for _, g := range page.LogGroups {
			if aws.ToString(g.LogGroupName) != name {
				continue
			}
			log := readLog{Log: name, KeptDays: g.RetentionInDays, since: time.UnixMilli(aws.ToInt64(g.CreationTime))}
			if g.RetentionInDays != nil {
				if oldest := now.AddDate(0, 0, -int(*g.RetentionInDays)); oldest.After(log.since) {
					log.since = oldest
				}
			}
			log.Since = usage.FormatTime(log.since)
			return log, nil
		}
	}
	return readLog{}, operator.UserError(fmt.Sprintf("the log group %s of the stack is gone, "+
		"and with it the lines that it had: deploy the stack again, and it is made anew", name))
}

func (l *stackLogs) Logs() []readLog { return l.groups }

// auditFilter is a query for audit lines: the text that each has as slog writes it.
// What it finds is read, and compared exactly, here.
func auditFilter(q auditQuery) string {
	like := func(text string) string {
		return "@message like '" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
	}
	parts := []string{like(`"audit":true`), like(`"` + string(q.account) + `"`)}
	if q.partner != "" {
		parts = append(parts, like(`"partnerId":"`+string(q.partner)+`"`))
	}
	return "fields @message | filter " + strings.Join(parts, " and ") + " | sort @timestamp asc"
}

func (l *stackLogs) Lines(ctx context.Context, q auditQuery, take func(string)) error {
	return l.between(ctx, auditFilter(q), q.From.Add(-logLag).Unix(), q.To.Add(logLag).Unix()+1, take)
}

// between reads the lines from one second to another, both included, in as many queries
// as it takes: where one finds as many lines as it may, each half is asked for. The
// halves share a second, lest a line fall between them.
func (l *stackLogs) between(ctx context.Context, query string, from, to int64, take func(string)) error {
	rows, err := l.rows(ctx, query, from, to)
	if err != nil {
		return err
	}
	if len(rows) < maxRows {
		return l.takeEach(rows, take)
	}
	if to-from <= 1 {
		return operator.UserError(fmt.Sprintf("there are %d lines or more in the second from %s, "+
			"and CloudWatch gives no more: ask with --partner", maxRows, secondText(from)))
	}
	l.say("%d lines or more from %s to %s: each half is asked for\n", maxRows, secondText(from), secondText(to))
	middle := from + (to-from)/2
	if err := l.between(ctx, query, from, middle, take); err != nil {
		return err
	}
	return l.between(ctx, query, middle, to, take)
}

func secondText(second int64) string { return time.Unix(second, 0).UTC().Format(time.RFC3339) }

func (l *stackLogs) takeEach(rows [][]types.ResultField, take func(string)) error {
	for _, row := range rows {
		var message, pointer string
		for _, field := range row {
			switch aws.ToString(field.Field) {
			case "@message":
				message = aws.ToString(field.Value)
			case "@ptr":
				pointer = aws.ToString(field.Value)
			}
		}
		if message == "" || pointer == "" {
			return errors.New("CloudWatch gives a line without @message or @ptr")
		}
		if !l.seen[pointer] {
			l.seen[pointer] = true
			take(message)
		}
	}
	return nil
}

// rows runs one query. A log that begins after the period is not asked: CloudWatch
// refuses that.
func (l *stackLogs) rows(ctx context.Context, query string, from, to int64) ([][]types.ResultField, error) {
	var names []string
	oldest := int64(math.MaxInt64)
	for _, g := range l.groups {
		if since := g.since.Unix(); since <= to {
			names = append(names, g.Log)
			oldest = min(oldest, since)
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	from = max(from, oldest)
	whole, cancel := context.WithTimeout(ctx, logQueryTimeout)
	defer cancel()
	rows, err := l.query(whole, &cloudwatchlogs.StartQueryInput{
		LogGroupNames: names, QueryString: &query, StartTime: &from, EndTime: &to, Limit: aws.Int32(maxRows),
	})
	if ctx.Err() == nil && whole.Err() != nil {
		err = operator.UserError(fmt.Sprintf("CloudWatch takes more than %s for the lines from %s to %s: "+
			"ask for a shorter period", logQueryTimeout, secondText(from), secondText(to)))
	}
	return rows, err
}

// query starts a query and waits for its end. One that is not at its end when we have to
// go is stopped: it would go on, and cost.
func (l *stackLogs) query(
	ctx context.Context, in *cloudwatchlogs.StartQueryInput,
) (rows [][]types.ResultField, err error) {
	started, err := within(ctx, l.client.StartQuery, in)
	if err != nil {
		return nil, queryError(err)
	}
	ended := false
	defer func() {
		if !ended {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopQueryTimeout)
			defer cancel()
			// One that cannot be stopped ends by itself.
			_, _ = l.client.StopQuery(ctx, &cloudwatchlogs.StopQueryInput{QueryId: started.QueryId})
		}
	}()
	results := &cloudwatchlogs.GetQueryResultsInput{QueryId: started.QueryId, MaxItems: aws.Int32(maxRows)}
	for wait := 200 * time.Millisecond; ; wait = min(2*wait, 3*time.Second) {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
		}
		out, err := within(ctx, l.client.GetQueryResults, results)
		if err != nil {
			return nil, queryError(err)
		}
		switch out.Status {
		case types.QueryStatusScheduled, types.QueryStatusRunning, types.QueryStatusUnknown:
		case types.QueryStatusComplete:
			ended = true
			return l.allPages(ctx, results, out)
		case types.QueryStatusTimeout:
			ended = true
			return nil, operator.UserError("CloudWatch has given the query up, since it took too long: " +
				"ask for a shorter period")
		default: // it failed, or somebody has cancelled it
			ended = true
			return nil, operator.UserError(fmt.Sprintf("CloudWatch has not carried the query out (%s): "+
				"run the command again", strings.ToLower(string(out.Status))))
		}
	}
}

// allPages are the rows of a query that is complete.
func (l *stackLogs) allPages(ctx context.Context, in *cloudwatchlogs.GetQueryResultsInput,
	out *cloudwatchlogs.GetQueryResultsOutput) (rows [][]types.ResultField, err error) {
	for {
		rows = append(rows, out.Results...)
		if aws.ToString(out.NextToken) == "" {
			return rows, nil
		}
		in.NextToken = out.NextToken
		if out, err = within(ctx, l.client.GetQueryResults, in); err != nil {
			return nil, queryError(err)
		}
	}
}

// within makes a call that has a deadline of its own.
func within[In, Out any](
	ctx context.Context, call func(context.Context, *In, ...func(*cloudwatchlogs.Options)) (*Out, error), in *In,
) (*Out, error) {
	ctx, cancel := context.WithTimeout(ctx, logCallTimeout)
	defer cancel()
	return call(ctx, in)
}

// queryError tells of what may be mended.
func queryError(err error) error {
	var limit *types.LimitExceededException
	if errors.As(err, &limit) {
		return operator.UserError("CloudWatch runs as many queries of this account as it may: " +
			"wait until others have ended, and run the command again")
	}
	return fmt.Errorf("ask the logs: %w", err)
}
