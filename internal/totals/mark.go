package totals

import (
	"fmt"

	"partnerview/internal/usage"
)

// LogDay is a day of a log, in its customer's zone.
type LogDay struct {
	usage.Log
	Day Day
}

// Mark orders what writers have begun: by term of the lease, then by a running number.
// The zero Mark stands before all.
type Mark struct{ Term, Number int64 }

// String is a text whose bytes have the order of marks: "0000000012-000000034".
func (m Mark) String() string { return fmt.Sprintf("%010d-%09d", m.Term, m.Number) }

// ParseMark reads what String has written.
func ParseMark(s string) (m Mark, err error) {
	if _, err = fmt.Sscanf(s, "%10d-%09d", &m.Term, &m.Number); err != nil || m.String() != s {
		return Mark{}, fmt.Errorf("%q is not a mark such as %v", s, Mark{12, 34})
	}
	return m, nil
}

// OpenDay is a day that is being written.
type OpenDay struct {
	LogDay
	Mark Mark
}
