package importer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// look is what a file looks like: one of the formats of usage, or one of these.
type look string

const (
	unknownLook   look = ""
	creditLook    look = "credit"
	directoryLook look = "directory"
	rejectsLook   look = "rejects"
	arrayLook     look = "array"  // of JSON
	spreadLook    look = "spread" // JSON objects of several lines each
)

// lookOf tells by the start of a text what it is: the first line that is one of
// the formats' decides.
func lookOf(sample []byte) look {
	var lines [][]byte
	for line := range bytes.Lines(sample) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			lines = append(lines, line)
		}
	}
	for n, line := range lines {
		found := unknownLook
		switch {
		case n == 0 && (string(line) == "[" || bytes.HasPrefix(line, []byte("[{"))):
			found = arrayLook
		case string(line) == "{":
			found = lookOfSpread(lines[n+1:])
		case line[0] == '{':
			found = lookOfObject(line)
		default:
			found = lookOfText(string(line))
		}
		if found != unknownLook {
			return found
		}
	}
	return unknownLook
}

// lookOfSpread tells the lines behind one that only opens an object.
func lookOfSpread(lines [][]byte) look {
	if len(lines) == 0 || lines[0][0] != '"' {
		return unknownLook
	}
	if name, _, _ := strings.Cut(string(lines[0][1:]), `"`); isDirectoryKey(name) {
		return directoryLook
	}
	return spreadLook
}

func isDirectoryKey(name string) bool {
	return name == "partners" || name == "customers" || name == "priceLists"
}

func lookOfObject(line []byte) look {
	if !json.Valid(line) {
		return unknownLook
	}
	has, credit := map[string]bool{}, map[string]bool{}
	for name := range members(line) {
		has[string(name)] = true
		credit[creditNames[creditKey(string(name))]] = true
	}
	switch {
	case has["id"] && has["timestamp"]:
		return look(Native)
	case has[payloadField]:
		return look(ConnectReceipts)
	case has["line"] && has["reason"]:
		return rejectsLook
	case isCredit(credit):
		return creditLook
	case has["partners"] || has["customers"] || has["priceLists"]:
		return directoryLook
	}
	return unknownLook
}

// lookOfText tells the header of a CSV file, and the keys of a directory file.
func lookOfText(line string) look {
	if key, _, found := strings.Cut(line, ":"); found && isDirectoryKey(key) {
		return directoryLook
	}
	has, credit := map[string]bool{}, map[string]bool{}
	for _, name := range strings.Split(line, string(mostFrequent([]byte(line), ",;\t"))) {
		name = strings.Trim(strings.TrimSpace(name), `"`)
		has[columnKey(name)] = true
		credit[creditNames[creditKey(name)]] = true
	}
	hasAll := func(e export) bool {
		for _, name := range e.needs {
			if !has[columnKey(name)] {
				return false
			}
		}
		return true
	}
	switch {
	case hasAll(connectMessaging()) && !has["msisdn"]: // an SMS log's key columns are among its own
		return look(ConnectMessaging)
	case hasAll(connectSMS()):
		return look(ConnectSMS)
	case hasAll(connectVoice()):
		return look(ConnectVoice)
	case isCredit(credit):
		return creditLook
	}
	return unknownLook
}

func isCredit(has map[string]bool) bool {
	return has[CreditAccountField] && has[amountField] && has[asOfField]
}

// checkLook refuses a file that looks like something else than it should be.
func checkLook(sample []byte, should look) error {
	is := lookOf(sample)
	if should == directoryLook && (is == arrayLook || is == spreadLook) {
		return nil // JSON of any form
	}
	switch is {
	case unknownLook, should:
		return nil
	case creditLook:
		return fmt.Errorf("the file looks like remaining credit: partnerctl import credit loads it")
	case directoryLook:
		return fmt.Errorf("the file looks like a directory file: partnerctl apply -f brings it into force")
	case rejectsLook:
		return fmt.Errorf("the file looks like a list of rejected lines, not like the file that they were in")
	case arrayLook:
		return fmt.Errorf("the file looks like one JSON array; write one object a line, without commas between them")
	case spreadLook:
		return fmt.Errorf("the file looks like JSON whose objects go over several lines; write one object a line")
	default:
		return fmt.Errorf("the file looks like --format %s: partnerctl import usage loads it so", is)
	}
}
