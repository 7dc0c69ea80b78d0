package inbox

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"partnerview/internal/importer"
	"partnerview/internal/usage"
)

// creditFolder holds files of remaining credit; all others are named by their format.
const creditFolder = "credit"

// maxKey is how long a key may be that stands within the keys of results, which have at most
// 1,024 bytes.
const maxKey = 900

// file is what a key says of the file: "native/usage.ndjson",
// "connect-sms-csv/account=acme_retail/sms-2026-11.csv.gz".
type file struct {
	format  importer.Format // empty: credit
	account usage.AccountID // empty: the file's rows name theirs
}

// kind is the format's name, or the folder's of credit.
func (f file) kind() string {
	if f.format == "" {
		return creditFolder
	}
	return string(f.format)
}

// fileOf reads a key. Its error is for whoever has uploaded the file.
func fileOf(key string) (file, error) {
	var f file
	parts := strings.Split(key, "/")
	if len(parts) < 2 || len(parts) > 3 {
		return f, fmt.Errorf("the file stands in no folder of the inbox: it belongs into FORMAT/ or FORMAT/account=ID/")
	}
	if parts[0] != creditFolder {
		format, err := importer.ParseFormat(parts[0])
		if err != nil {
			return f, fmt.Errorf("the folder names no format: %w, or credit", err)
		}
		f.format = format
	}
	if len(parts) == 2 {
		return f, nil
	}
	id, named := strings.CutPrefix(parts[1], "account=")
	if !named {
		return f, fmt.Errorf("the folder within %s/ must be account=ID: files stand no deeper", parts[0])
	}
	if f.format == "" {
		return f, fmt.Errorf("a file of credit names the account on each line: it belongs into credit/ itself")
	}
	account, err := usage.ParseAccountID(id)
	if err != nil {
		return f, fmt.Errorf("the folder account=… names no account: %w", err)
	}
	f.account = account
	return f, nil
}

// isFolder reports whether a key is of no file, but what consoles put where somebody makes a
// folder.
func isFolder(key string) bool { return strings.HasSuffix(key, "/") }

// importID is a name for an execution, the same each time, in the form of ledger.NewID's.
func importID(execution string) string {
	sum := sha256.Sum256([]byte(execution))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:10])[:12])
}

// resultKey is where something of an import is written: "results/native/usage.ndjson.k2…f.json".
func resultKey(s State, ending string) string {
	key := s.Key
	if len(key) > maxKey {
		sum := sha256.Sum256([]byte(key))
		key = "long/" + hex.EncodeToString(sum[:])
	}
	return "results/" + key + "." + importID(s.ID) + ending
}

// failedKey is where a file is moved that cannot be imported.
func failedKey(s State) string { return "failed/" + s.Key }

// listKey is where the rejected lines of a call are listed, by the line from which it reads.
func listKey(s State) string {
	if s.Line == 0 {
		return resultKey(s, ".rejected.ndjson")
	}
	return resultKey(s, ".rejected."+strconv.Itoa(s.Line)+".ndjson")
}
