package inbox

import (
	"encoding/json"

	"partnerview/internal/importer"
)

// maxListed is how many bytes of rejected lines a call lists. More are counted.
const maxListed = 8 << 20

// rejectList is what a call lists of the lines that it has not taken, as partnerctl does.
type rejectList struct {
	text     []byte // NDJSON
	unlisted int
}

func (l *rejectList) add(r importer.Reject) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if l.unlisted > 0 || len(l.text)+len(line)+1 > maxListed {
		l.unlisted++
		return nil
	}
	l.text = append(append(l.text, line...), '\n')
	return nil
}
