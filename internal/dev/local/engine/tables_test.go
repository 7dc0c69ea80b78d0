package engine

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"partnerview/internal/dev/template"
)

// lingering is an engine that says of a table that is deleted how it is so many times more, as one does that is slow.
func lingering(t *testing.T, looks int32) (endpoint string, left *atomic.Int32) {
	left = new(atomic.Int32)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		status := "ACTIVE"
		switch _, call, _ := strings.Cut(r.Header.Get("X-Amz-Target"), "."); {
		case call == "DeleteTable":
			left.Store(looks)
			status = "DELETING"
		case call == "DescribeTable" && left.Load() > 0:
			if left.Add(-1) == 0 {
				w.WriteHeader(http.StatusBadRequest)
				fmt.Fprint(w, `{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"}`)
				return
			}
			status = "DELETING"
		}
		fmt.Fprintf(w, `{"Table":{"TableStatus":%[1]q},"TableDescription":{"TableStatus":%[1]q}}`, status)
	}))
	t.Cleanup(server.Close)
	return server.URL, left
}

func TestTablesThatAreDeletedAreGone(t *testing.T) {
	endpoint, left := lingering(t, 4)
	tables := NewTables(endpoint)
	defer tables.Close()
	one := template.Table{ID: "UsageTable", Name: "UsageTable-1", Key: template.Key{Partition: "k"},
		Attributes: map[string]string{"k": "S"}}
	if _, err := tables.Create(t.Context(), []template.Table{one}); err != nil {
		t.Fatal(err)
	}
	if err := tables.Delete(); err != nil {
		t.Fatal(err)
	}
	if n := left.Load(); n != 0 {
		t.Errorf("it is done while the engine still has the table, as it would say %d times more", n)
	}
}
