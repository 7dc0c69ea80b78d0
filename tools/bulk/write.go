package bulk

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Write writes a file of the load.
func (l Load) Write(w io.Writer, f File) error {
	buffered := bufio.NewWriter(w)
	var err error
	switch {
	case f.write == nil:
		err = l.writeReceipts(buffered, f)
	case f.Format == "native":
		err = l.writeNative(buffered, f)
	default:
		err = l.writeCSV(buffered, f)
	}
	if err == nil {
		err = buffered.Flush()
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", f.Name, err)
	}
	return nil
}

func (l Load) writeNative(w io.Writer, f File) error {
	for i := range f.Lines {
		if _, err := io.WriteString(w, l.row(f.first + i).native()[0]); err != nil {
			return err
		}
	}
	return nil
}

func (l Load) writeCSV(w io.Writer, f File) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.Write(strings.Split(headers[f.Format], ",")); err != nil {
		return err
	}
	for i := range f.Lines {
		if err := out.Write(f.write(l.row(f.first + i))); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// writeReceipts writes two receipts of each record, the newer one first where its
// number is odd.
func (l Load) writeReceipts(w io.Writer, f File) error {
	for i := range f.Lines / 2 {
		n := f.first + i
		r := l.row(n)
		first, second := r.receipts(n)
		if n%2 == 1 {
			first, second = second, first
		}
		for _, rc := range []receipt{first, second} {
			if _, err := io.WriteString(w, r.receiptLine(rc)); err != nil {
				return err
			}
		}
	}
	return nil
}

var headers = map[string]string{
	"connect-sms-csv":       "umid,subaccountid,direction,country,mcc,mnc,status_value,status_errorcode,status_timestamp,msisdn,source,createdat,smscount,price_currency,price_total,body",
	"connect-messaging-csv": "umid,subAccountId,direction,channelType,country,status_value,status_errorCode,status_timestamp,user_msisdn,createdAt,step,content",
	"connect-voice-csv":     "CallId,AccountId,SubAccountId,Direction,SourceCountry,SourceMCC,SourceMNC,SourceEndpoint,DestinationCountry,DestinationMCC,DestinationMNC,DestinationEndpoint,InitiatedAt,DurationInSec,UnitPriceCurrency,TotalPriceOfCall,CallStatus",
}

func (r *row) native() []string {
	from, to := r.sides()
	line := map[string]any{
		"accountId": r.account, "product": r.product, "id": r.id, "timestamp": stamp(r.at), "status": r.status,
		"contactName": "CANARY-NAME of " + r.id, "content": "CANARY-CONTENT: call " + to.raw,
	}
	for name, text := range map[string]string{
		"direction": r.direction, "statusAt": stamp(r.statusAt), "from": from.raw, "to": to.raw, "country": r.country, "operator": r.operator,
		"errorCode": r.errorCode, "channel": r.channel, "category": r.category,
	} {
		if text != "" {
			line[name] = text
		}
	}
	for name, n := range map[string]int{"segments": r.segments, "durationSeconds": r.seconds, "participants": r.participants} {
		if n >= 0 {
			line[name] = n
		}
	}
	if r.price.amount != "" {
		line["recordedPrice"] = map[string]string{"amount": r.price.amount, "currency": r.price.currency}
	}
	text, err := json.Marshal(line)
	if err != nil {
		panic(err) // cannot happen: texts and numbers
	}
	return []string{string(text) + "\n"}
}

func (r *row) smsRow() []string {
	mcc, mnc := network(r.operator)
	return []string{r.id, r.account + "_hq", map[string]string{"outbound": "1", "inbound": "0"}[r.direction], r.country, mcc, mnc, r.status, r.errorCode,
		stamp(r.statusAt), r.person.raw, r.own.raw, stamp(r.at), strconv.Itoa(r.segments), r.price.currency, r.price.amount, "CANARY-CONTENT, \"quoted\"\nof " + r.id}
}

func (r *row) messagingRow() []string {
	umid, step, _ := strings.Cut(r.id, ":")
	return []string{umid, r.account + "_hq", r.direction, strings.ToUpper(r.channel), r.country, r.status, r.errorCode,
		stamp(r.statusAt), r.person.raw, strings.NewReplacer("T", " ", "Z", " UTC").Replace(stamp(r.at)), step, "CANARY-CONTENT of " + r.id}
}

func (r *row) voiceRow() []string {
	from, to := r.sides()
	country := map[string]string{"GB": "United Kingdom", "US": "United States"}[r.country]
	mcc, mnc := network(r.operator)
	remote, none := []string{country, mcc, mnc}, []string{"", "", ""}
	source, destination := none, remote
	if r.direction == "inbound" {
		source, destination = remote, none
	}
	row := append([]string{r.id, r.account, "", strings.ToUpper(r.direction)}, source...)
	row = append(append(append(row, from.raw), destination...), to.raw)
	return append(row, stamp(r.at), strconv.Itoa(r.seconds), r.price.currency, r.price.amount, strings.ToUpper(r.status))
}

func (r *row) receiptLine(rc receipt) string {
	code, price := "", ""
	if rc.errorCode != "" {
		code = `,"errorCode":` + rc.errorCode
	}
	if rc.price.amount != "" {
		price = `"price":{"total":` + rc.price.amount + `,"currency":"` + rc.price.currency + `"},`
	}
	return fmt.Sprintf(`{"namespace":"SMS","eventType":"outbound_message_status_changed","payload":{"umid":%q,"subAccountId":"%s_hq","source":%q,"destination":%q,%s"status":{"state":%q,"timestamp":%q%s}}}`+"\n",
		r.id, r.account, r.own.raw, r.person.raw, price, rc.status, stamp(rc.at), code)
}

// stamp writes a time to the millisecond; not told is empty.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format("2006-01-02T15:04:05.000Z07:00")
}

func network(operator string) (mcc, mnc string) {
	if operator == "" {
		return "", ""
	}
	return operator[:3], operator[3:]
}
