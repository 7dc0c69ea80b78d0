package usage

import "github.com/shopspring/decimal"

// What the counts of a record are at most. A count that could not be, is a telephone number
// or a piece of one that slipped into a wrong column, or a mistake: it is not taken where it
// arises, and not shown where another pipeline has stored it.
const (
	// MaxSegments: the header of a concatenated SMS counts its parts in one octet (3GPP TS
	// 23.040, 9.2.3.24.1).
	MaxSegments = 255
	// MaxDurationSeconds is a day. Platforms end calls and sessions at that or before.
	MaxDurationSeconds = 86_400
	// MaxParticipants of a session that people take part in.
	MaxParticipants = 9_999

	// maxUnexplainedSeconds are participant-seconds that nothing else of the record explains.
	maxUnexplainedSeconds = 99_999
)

// MaxParticipantSeconds is what the seconds of all participants are at most: as if each
// had been there from the first to the last, each rounded up. Where either is unknown it
// is 99,999, since more digits could be anybody's number.
func MaxParticipantSeconds(participants, durationSeconds *int64) int64 {
	if participants == nil || durationSeconds == nil {
		return maxUnexplainedSeconds
	}
	return *participants * (*durationSeconds + 1)
}

// MayCost reports whether one message, call or session may cost so much: at most seven
// digits before the point, in any currency. A telephone number has more.
func MayCost(amount decimal.Decimal) bool { return amount.LessThan(decimal.New(1, 7)) }
