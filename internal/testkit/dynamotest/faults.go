package dynamotest

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"
)

// Fault is one way in which a call to DynamoDB can go wrong.
type Fault string

// The faults. Of what was done, the caller cannot know it.
const (
	Dropped   Fault = "dropped"   // nothing was done, and the connection is closed
	Reset     Fault = "reset"     // nothing was done, and the connection is reset
	Delayed   Fault = "delayed"   // for 15 s; if the caller leaves before, nothing was done
	Late      Fault = "late"      // it was done, and the answer comes 15 s later
	Lost      Fault = "lost"      // it was done, and no answer comes: tried again, it is done twice
	Failing   Fault = "500"       // nothing was done: DynamoDB itself fails
	Throttled Fault = "throttled" // nothing was done: it is asked too much
	Garbage   Fault = "garbage"   // it was done, and the answer is bytes that say nothing
	Altered   Fault = "altered"   // it was done, and a digit of the answer is another
	Truncated Fault = "truncated" // it was done, and the answer ends in its middle
	Empty     Fault = "{}"        // it was done, and the answer is an empty object, without a checksum
	Halved    Fault = "halved"    // half of a batch was done, and the answer says so
)

// Faults are all of them.
func Faults() []Fault {
	return []Fault{Dropped, Reset, Delayed, Late, Lost, Failing, Throttled, Garbage, Altered, Truncated, Empty, Halved}
}

// FaultDelay is how long Delayed and Late take.
const FaultDelay = 15 * time.Second

// IsSlow reports whether whoever is struck waits for its own patience to end.
func (f Fault) IsSlow() bool { return f == Delayed || f == Late }

// Strikes reports whether an operation can go wrong so.
func (f Fault) Strikes(operation string) bool {
	return f != Halved || operation == "BatchGetItem" || operation == "BatchWriteItem"
}

// Strike answers a call with the fault.
func (f Fault) Strike(ctx context.Context, call Call, w Answer, on Onward) {
	switch f {
	case Reset:
		reset(w)
	case Delayed:
		wait(ctx, w)
		on(call.Body).Send(w)
	case Late:
		reply := on(call.Body)
		wait(ctx, w)
		reply.Send(w)
	case Failing:
		refuse(w, http.StatusInternalServerError, "InternalServerError")
	case Throttled:
		Throttle(w)
	case Garbage:
		reply := on(call.Body)
		_, _ = rand.Read(reply.Body)
		reply.Send(w)
	case Altered:
		reply := on(call.Body)
		reply.Body = altered(reply.Body)
		reply.Send(w)
	case Truncated:
		reply := on(call.Body)
		reply.Header.Set("Content-Length", fmt.Sprint(len(reply.Body)))
		reply.Body = reply.Body[:len(reply.Body)/2]
		reply.Send(w)
		_ = http.NewResponseController(w).Flush()
		Cut(w)
	case Empty:
		reply := on(call.Body)
		reply.Header = http.Header{"Content-Type": {"application/x-amz-json-1.0"}}
		reply.Body = []byte("{}")
		reply.Send(w)
	case Halved:
		halve(call, w, on)
	case Lost:
		on(call.Body)
		Cut(w)
	default:
		Cut(w)
	}
}

// wait is FaultDelay, or until the caller leaves.
func wait(ctx context.Context, w Answer) {
	select {
	case <-time.After(FaultDelay):
	case <-ctx.Done():
		Cut(w)
	}
}

// reset ends the connection as a machine does that knows nothing of it.
func reset(w Answer) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		Cut(w)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// altered is a body of which the last digit is another; one without a digit is cut.
func altered(body []byte) []byte {
	changed := slices.Clone(body)
	for i, b := range slices.Backward(changed) {
		if '0' <= b && b <= '9' {
			changed[i] = '0' + (b-'0'+1)%10
			return changed
		}
	}
	return changed[:len(changed)/2]
}

// halve has the first half of a batch done, and says of the rest that it is not.
func halve(call Call, w Answer, on Onward) {
	var batch map[string]json.RawMessage
	var items map[string]json.RawMessage
	if json.Unmarshal(call.Body, &batch) != nil || json.Unmarshal(batch["RequestItems"], &items) != nil {
		Cut(w)
	}
	done, left := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	for table, asked := range items {
		split(table, asked, done, left)
	}
	unprocessed, answer := "UnprocessedItems", map[string]json.RawMessage{"Responses": []byte("{}")}
	if call.Operation == "BatchGetItem" {
		unprocessed = "UnprocessedKeys"
	}
	if len(done) > 0 {
		batch["RequestItems"] = encode(done)
		reply := on(encode(batch))
		if reply.Status != http.StatusOK || json.Unmarshal(reply.Body, &answer) != nil {
			reply.Send(w)
			return
		}
	}
	answer[unprocessed] = encode(left)
	Succeed(w, encode(answer))
}

// split takes what is asked of a table apart: keys to read, or writes.
func split(table string, asked json.RawMessage, done, left map[string]json.RawMessage) {
	var writes []json.RawMessage
	if json.Unmarshal(asked, &writes) == nil {
		if half := len(writes) / 2; half > 0 {
			done[table] = encode(writes[:half])
		}
		left[table] = encode(writes[len(writes)/2:])
		return
	}
	var reads map[string]json.RawMessage
	var keys []json.RawMessage
	if json.Unmarshal(asked, &reads) != nil || json.Unmarshal(reads["Keys"], &keys) != nil {
		return
	}
	if half := len(keys) / 2; half > 0 {
		reads["Keys"] = encode(keys[:half])
		done[table] = encode(reads)
	}
	reads["Keys"] = encode(keys[len(keys)/2:])
	left[table] = encode(reads)
}

// encode is JSON of what was read of JSON.
func encode(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		Cut(nil)
	}
	return text
}
