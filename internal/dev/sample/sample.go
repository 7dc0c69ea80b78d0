// Package sample makes the data that `make run` loads: a directory of invented
// partners and customers, and the usage records of their last 90 days.
//
// It owns the generator and the canaries: marked names, contents and telephone
// numbers that go in with every record and must never come out. [Leaks] looks
// for them in whatever the system emits. It does not load anything: what it
// makes are files in the operator's own formats, which the operator's own tool
// reads (docs/formats.md), so that the sample takes the path of real data.
//
// The same time gives the same bytes. All times are relative to it, so that the
// sample never ages; who sends what does not depend on it. testdata/README.md
// says what each partner and customer shows.
//
// It is a leaf: it imports no package of this project.
package sample

import (
	"bytes"
	"fmt"
	"text/template"
	"time"
)

// Directory renders a directory file (testdata/sample/directory.yaml) as of now.
// In its text {{ago 45}} is midnight UTC 45 days ago, {{ahead 14}} midnight UTC in
// 14 days, and {{hoursAgo 2}} two hours ago to the second; each is written as
// RFC 3339.
func Directory(text string, now time.Time) ([]byte, error) {
	return render("directory.yaml", text, now)
}

// Upload renders a file of usage (testdata/sample/usage.ndjson) as of now, in whose text
// {{minutesAgo 5}} is five minutes ago to the second.
func Upload(text string, now time.Time) ([]byte, error) { return render("usage.ndjson", text, now) }

func render(name, text string, now time.Time) ([]byte, error) {
	now = now.UTC()
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
	words := template.FuncMap{
		"ago":      func(days int) string { return midnight.AddDate(0, 0, -days).Format(time.RFC3339) },
		"ahead":    func(days int) string { return midnight.AddDate(0, 0, days).Format(time.RFC3339) },
		"hoursAgo": func(hours int) string { return now.Add(-time.Duration(hours) * time.Hour).Format(time.RFC3339) },
		"minutesAgo": func(minutes int) string {
			return now.Add(-time.Duration(minutes) * time.Minute).Format(time.RFC3339)
		},
	}
	t, err := template.New(name).Funcs(words).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("read the sample %s: %w", name, err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, nil); err != nil {
		return nil, fmt.Errorf("render the sample %s: %w", name, err)
	}
	return out.Bytes(), nil
}
