package dynamo

import (
	"bytes"
	"errors"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// errAltered is an answer that is not, or not surely, what DynamoDB has sent.
var errAltered = errors.New("the answer is not what its checksum says")

// verified lets no answer through that is not what DynamoDB says it is: each bears the CRC-32 of
// its body. The SDK compares the two as well, and only writes a line to its log where they differ
// (smithy's CloseResponseBody); one without a checksum it takes. But "{}", which is what is left
// where a body was lost, says that there is no such item: an answer that nobody vouches for would
// become a 404, or a key that counts no more. To the SDK such an answer is a connection that broke.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
type verified struct{ next dynamodb.HTTPClient }

func (v verified) Do(r *http.Request) (*http.Response, error) {
	answer, err := v.next.Do(r)
	if err != nil || answer.StatusCode != http.StatusOK { // a refusal is none, whatever it says
		return answer, err
	}
	body := bytes.NewBuffer(make([]byte, 0, max(answer.ContentLength, 0)+bytes.MinRead))
	_, err = body.ReadFrom(answer.Body)
	if err = errors.Join(err, answer.Body.Close()); err != nil {
		return nil, err
	}
	want, err := strconv.ParseUint(answer.Header.Get("X-Amz-Crc32"), 10, 32)
	if err != nil || uint32(want) != crc32.ChecksumIEEE(body.Bytes()) {
		return nil, errAltered
	}
	answer.Body = io.NopCloser(body)
	return answer, nil
}
