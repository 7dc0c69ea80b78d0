package operator_test

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"partnerview/internal/directory"
	"partnerview/internal/fault"
	"partnerview/internal/importer"
	"partnerview/internal/operator"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

// Whatever is loaded, told by receipts, deleted, priced anew and moved into another time
// zone, in whatever order, whoever is interrupted, killed, put to sleep or waits: in the
// end every summary is the sum over the records that the log lists, to the last decimal.
// Meanwhile a day that is not pending is exact for what is stored.
func TestTotalsAreTheSumOfTheRecords(t *testing.T) {
	const engines, worlds = 2, 8
	wanted := 10 * worlds // make model has 2,000, and make fuzz 4,000
	if testing.Short() {
		wanted = 2 * worlds
	}
	checks, seed := flag.Lookup("rapid.checks"), flag.Lookup("rapid.seed")
	defer func(checks, seed string) { _ = cmp.Or(flag.Set("rapid.checks", checks), flag.Set("rapid.seed", seed)) }(checks.Value.String(), seed.Value.String())
	if given, err := strconv.Atoi(checks.Value.String()); err == nil && checks.Value.String() != checks.DefValue {
		wanted = given
	}
	must(t, flag.Set("rapid.checks", fmt.Sprint(max(wanted/worlds, 1))))
	drawn := seed.Value.String() == seed.DefValue // else all worlds have the one that is given
	seen := make([]map[string]int, worlds)
	var own [engines]dynamotest.Engine
	for i := range own {
		t.Cleanup(own[i].Stop)
		own[i].Endpoint(t)
	}
	var side sync.WaitGroup // more side by side than -parallel lets: they wait for engines and leases
	for i := range worlds {
		seen[i] = make(map[string]int)
		w := newWorld(t, &own[i%engines])
		if drawn {
			own := rand.Uint64()
			t.Logf("runs of %d draw from -rapid.seed=%d", i+1, own)
			must(t, flag.Set("rapid.seed", fmt.Sprint(own)))
		}
		begins := make(chan struct{}) // it has read the flags
		begun := sync.OnceFunc(func() { close(begins) })
		side.Go(func() {
			defer begun()
			t.Run(fmt.Sprint(i+1), func(t *testing.T) {
				runs := 0
				rapid.Check(t, func(rt *rapid.T) {
					begun()
					runs++
					newTotalsRun(rt, t, w, runs, seen[i]).all()
				})
			})
		})
		<-begins
	}
	side.Wait()
	all := map[string]int{}
	for _, counts := range seen {
		for what, n := range counts {
			all[what] += n
		}
	}
	t.Logf("seen: %v", all)
	for _, what := range append([]string{"at rest", "looks", "looks, days pending", "looks, days counted"}, eventNames()...) {
		if all[what] < wanted/50 && wanted >= 400 && !t.Failed() { // a few runs may well have none
			t.Errorf("only %d: %s", all[what], what)
		}
	}
}

// totalsRun is one sequence of commands, on customers of its own.
type totalsRun struct {
	*rapid.T
	t        *testing.T
	world    *world
	seen     map[string]int
	number   string
	accounts []usage.AccountID
	zones    []directory.TimeZone // that customers may have
	logs     []usage.Log
	slots    []slot
	times    []time.Time
	broken   bool                             // a command has failed since all was at rest
	later    bool                             // days were left for totals rebuild
	deleted  bool                             // a customer was, perhaps: it is no partner's then
	copy     map[totals.Day]map[string]string // a client's, of the first account, by day and product
	asOf     string                           // of what it has read last
}

// slot is a record's place: its log, time and id.
type slot struct {
	usage.Log
	id string
	at time.Time
}

// epochs are times shortly behind what is odd in a zone's calendar.
var epochs = []struct {
	now  string
	zone directory.TimeZone
}{
	{"2026-03-30T21:00:00Z", "Europe/Berlin"},       // a day of 23 hours
	{"2026-10-26T11:00:00Z", "Europe/Berlin"},       // of 25
	{"2026-04-06T12:00:00Z", "Australia/Lord_Howe"}, // of 24 and a half
	{"2026-10-05T03:00:00Z", "Australia/Lord_Howe"}, // of 23 and a half
	{"2012-01-01T08:00:00Z", "Pacific/Apia"},        // there was no 30 December
	{"2018-02-19T15:00:00Z", "America/Sao_Paulo"},   // midnight came twice
	{"2018-11-05T15:00:00Z", "America/Sao_Paulo"},   // and not at all
	{"2026-05-02T01:00:00Z", "Asia/Kathmandu"},      // +05:45
	{"2026-06-01T11:00:00Z", "Pacific/Marquesas"},   // -09:30
	{"2026-03-01T13:00:00Z", "Pacific/Kiritimati"},  // +14:00
	{"2026-03-01T10:30:00Z", "Pacific/Pago_Pago"},   // -11:00, where it is two days earlier then
	{"2026-11-01T06:30:00Z", "America/New_York"},    // 01:30 for the second time
	{"2024-02-29T23:59:59.999Z", ""},                // UTC
}

func newTotalsRun(rt *rapid.T, t *testing.T, w *world, nth int, seen map[string]int) *totalsRun {
	r := &totalsRun{T: rt, t: t, world: w, seen: seen, number: fmt.Sprintf(".%d.", nth)}
	epoch := epochs[rapid.IntRange(0, len(epochs)-1).Draw(rt, "epoch")]
	now, err := time.Parse(time.RFC3339, epoch.now)
	r.must(err)
	r.must(w.begin(t, now))
	r.zones = []directory.TimeZone{epoch.zone, epochs[rapid.IntRange(0, len(epochs)-1).Draw(rt, "other zone")].zone}
	for _, name := range []string{"acme", "b&b"} {
		account := usage.AccountID(name + r.number)
		r.accounts = append(r.accounts, account)
		r.must(w.direct.PutCustomer(context.Background(), directory.Customer{Account: account, Name: name, Products: usage.Products(),
			Currency: "EUR", TimeZone: pick(r, "zone", r.zones), Credit: directory.Credit{Mode: directory.Prepaid}}))
		r.must(w.direct.PutGrant(context.Background(), r.grant(account)))
	}
	products := usage.Products()
	first := rapid.IntRange(0, len(products)-1).Draw(rt, "product")
	r.logs = []usage.Log{
		{Account: r.accounts[0], Product: products[first]}, {Account: r.accounts[0], Product: products[(first+1)%len(products)]},
		{Account: r.accounts[1], Product: usage.SMS},
	}
	for range 6 {
		r.times = append(r.times, r.drawTime(now))
	}
	for i := range 8 {
		log := r.logs[min(rapid.IntRange(0, 4).Draw(rt, "log of a slot"), 4)%3]
		r.slots = append(r.slots, slot{log, fmt.Sprintf("m-%d", i), pick(r, "time of a slot", r.times)})
	}
	return r
}

func (r *totalsRun) grant(account usage.AccountID) directory.Grant {
	return directory.Grant{Partner: r.partner(), Account: account, CustomerName: string(account)}
}

func (r *totalsRun) partner() directory.PartnerID { return directory.PartnerID("north" + r.number) }

// drawTime is one before now: near a midnight of a zone, or in the middle of a day.
func (r *totalsRun) drawTime(now time.Time) time.Time {
	zone, err := pick(r, "zone of a time", r.zones).Location()
	r.must(err)
	back := pick(r, "days before", []int{1, 1, 2, 0, 3, 31, 33})
	local := now.In(zone)
	midnight := time.Date(local.Year(), local.Month(), local.Day()-back, 0, 0, 0, 0, zone)
	at := midnight.Add(pick(r, "behind midnight", []time.Duration{0, -time.Millisecond, 30 * time.Minute, -30 * time.Minute, 12 * time.Hour, time.Hour, -time.Hour})).UTC()
	if at.After(now) {
		return at.AddDate(0, 0, -1)
	}
	return at
}

func pick[T any](r *totalsRun, label string, from []T) T {
	return from[rapid.IntRange(0, len(from)-1).Draw(r.T, label)]
}

func (r *totalsRun) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// task is something that an operator does.
type task struct {
	what string
	do   func(context.Context, *operator.Operator) error
}

func (r *totalsRun) drawCommand() task {
	switch rapid.IntRange(0, 14).Draw(r.T, "command") {
	case 0, 1, 2, 3:
		return r.importing()
	case 4, 5:
		return r.receipts()
	case 6:
		return r.deletion()
	case 7, 8:
		return r.priceList()
	case 9:
		return r.withdrawal()
	case 10, 11:
		return r.zoneChange()
	case 12:
		return r.renaming()
	case 13:
		return r.customerDeletion()
	}
	return r.rebuilding(pick(r, "account", r.accounts))
}

func (r *totalsRun) importing() task {
	var file strings.Builder
	n := rapid.IntRange(1, 5).Draw(r.T, "records")
	for range n {
		s := pick(r, "slot", r.slots)
		fmt.Fprintf(&file, `{"accountId":%q,"product":%q,"id":%q,"timestamp":%q,"direction":%q,"status":%q,"country":%s`, s.Account, s.Product, s.id,
			usage.FormatTime(s.at), pick(r, "direction", []string{"outbound", "inbound"}), pick(r, "status", []string{"delivered", "failed", "queued"}),
			pick(r, "country", []string{"null", `"DE"`, `"GB"`}))
		if count := rapid.IntRange(-1, 3).Draw(r.T, "quantity"); count >= 0 {
			switch s.Product {
			case usage.SMS:
				fmt.Fprintf(&file, `,"segments":%d`, count)
			case usage.Voice, usage.Video:
				fmt.Fprintf(&file, `,"durationSeconds":%d,"participants":2`, 35*count)
			}
		}
		if s.Product == usage.Messaging {
			fmt.Fprintf(&file, `,"channel":%q,"category":"utility"`, pick(r, "channel", []string{"whatsapp", "viber"}))
		}
		if s.Product == usage.Voice || s.Product == usage.Messaging {
			file.WriteString(pick(r, "recorded price", []string{"", `,"recordedPrice":{"amount":"0.0412","currency":"EUR"}`, `,"recordedPrice":{"amount":"1","currency":"USD"}`}))
		}
		if s.Product == usage.Video {
			file.WriteString(`,"participantSeconds":61`)
		}
		file.WriteString("}\n")
	}
	months := pick(r, "retention", []int{0, 0, 0, 1})
	return task{fmt.Sprintf("import of %d, retained %d months:\n%s", n, months, file.String()), func(ctx context.Context, o *operator.Operator) error {
		_, err := o.ImportUsage(ctx, strings.NewReader(file.String()), operator.UsageImport{RetentionMonths: months})
		return err
	}}
}

func (r *totalsRun) receipts() task {
	var file strings.Builder
	for range rapid.IntRange(1, 3).Draw(r.T, "receipts") {
		s := pick(r, "slot", r.slots)
		fmt.Fprintf(&file, `{"payload":{"umid":%q,"subAccountId":%q,"destination":"+447700900123","status":{"state":%q,"timestamp":%q}%s}}`+"\n", s.id, s.Account,
			pick(r, "status", []string{"delivered", "undelivered", "sent"}), usage.FormatTime(s.at.Add(time.Duration(rapid.IntRange(1, 9).Draw(r.T, "later"))*time.Second)),
			pick(r, "price", []string{"", `,"price":{"total":0.05,"currency":"EUR"}`}))
	}
	return task{"receipts:\n" + file.String(), func(ctx context.Context, o *operator.Operator) error {
		_, err := o.ImportUsage(ctx, strings.NewReader(file.String()), operator.UsageImport{Format: importer.ConnectReceipts})
		return err
	}}
}

func (r *totalsRun) deletion() task {
	s := pick(r, "slot", r.slots)
	selection := operator.Selection{Account: s.Account}
	switch rapid.IntRange(0, 2).Draw(r.T, "selection") {
	case 0:
		selection.IDs = []usage.RecordID{usage.RecordID(s.id)}
	case 1:
		selection.Products = []usage.Product{s.Product}
	case 2:
		selection.Period = usage.Period{From: s.at, To: s.at.Add(time.Duration(rapid.IntRange(1, 48).Draw(r.T, "hours")) * time.Hour)}
	}
	return task{fmt.Sprintf("deletion of %+v", selection), func(ctx context.Context, o *operator.Operator) error {
		_, err := o.DeleteRecords(ctx, func(int) {}, selection)
		return err
	}}
}

func (r *totalsRun) apply(what, file string) task {
	later := rapid.IntRange(0, 4).Draw(r.T, "counted later") == 0
	if later {
		what += ", counted later"
		r.later = true
	}
	return task{what + ": " + file, func(ctx context.Context, o *operator.Operator) error {
		d, err := importer.ParseDirectory(strings.NewReader(file), "directory.yaml")
		if err != nil {
			return err
		}
		plan, err := o.Plan(ctx, d, true)
		if faults := (importer.Faults)(nil); errors.As(err, &faults) {
			return nil // its customer is deleted
		}
		if err != nil {
			return err
		}
		plan.Later = later
		return o.Apply(ctx, plan)
	}}
}

func (r *totalsRun) renaming() task {
	return r.apply("name", fmt.Sprintf("customers: [{accountId: %q, name: %s, products: %s}]\n", pick(r, "account", r.accounts), pick(r, "name", []string{"Acme", "B&B"}),
		pick(r, "products", []string{"[sms, voice, video, messaging]", "[sms, voice]"})))
}

func (r *totalsRun) customerDeletion() task {
	account := pick(r, "account", r.accounts)
	r.deleted = true
	return task{"deletion of " + string(account), func(ctx context.Context, o *operator.Operator) error {
		plan, err := o.PlanCustomerDeletion(ctx, account, true)
		if errors.As(err, new(operator.UserError)) {
			return nil
		}
		if err != nil {
			return err
		}
		return o.Apply(ctx, plan)
	}}
}

func (r *totalsRun) rebuilding(account usage.AccountID) task {
	return task{"rebuild of " + string(account), func(ctx context.Context, o *operator.Operator) error {
		return o.RebuildTotals(ctx, operator.DaysWanted{Account: account}, func(int, int) {})
	}}
}

func (r *totalsRun) priceList() task {
	log := pick(r, "log", r.logs)
	price := func() string { return pick(r, "price", []string{"0", "0.1", "0.0333333", "7.123456789"}) }
	file := fmt.Sprintf("priceLists: [{accountId: %q, product: %s, effectiveFrom: %s, currency: EUR, rounding: {scale: %d, mode: %s}, rates: [", log.Account, log.Product,
		usage.FormatTime(pick(r, "effective from", r.times)), pick(r, "scale", []int{6, 0, 2}), pick(r, "mode", []string{"half-up", "half-even", "up"}))
	var rates []string
	for _, selectors := range []string{"", "direction: inbound, ", "country: DE, "} {
		if rapid.Bool().Draw(r.T, "rate") || selectors == "" && rapid.Bool().Draw(r.T, "rate of all") {
			rates = append(rates, fmt.Sprintf("{%sunitPrice: %q}", selectors, price()))
		}
	}
	if rates == nil {
		rates = []string{fmt.Sprintf("{country: FR, unitPrice: %q}", price())}
	}
	return r.apply("price list", file+strings.Join(rates, ", ")+"]}]\n")
}

func (r *totalsRun) withdrawal() task {
	log, which := pick(r, "log", r.logs), rapid.IntRange(0, 3).Draw(r.T, "which")
	return task{"withdrawal of a list of " + log.Text(), func(ctx context.Context, o *operator.Operator) error {
		lists, err := r.world.direct.AllPriceLists(ctx, log)
		if err != nil || len(lists) == 0 {
			return err
		}
		plan, err := o.PlanWithdrawal(ctx, log, lists[which%len(lists)].EffectiveFrom, true)
		if err != nil {
			return err
		}
		return o.Apply(ctx, plan)
	}}
}

func (r *totalsRun) zoneChange() task {
	account := pick(r, "account", r.accounts)
	return r.apply("zone", fmt.Sprintf("customers: [{accountId: %q, timeZone: %s}]\n", account, pick(r, "zone", r.zones)))
}

// event is what happens while a command is carried out.
type event string

const (
	nothing       event = "nothing"
	callLost      event = "a call is lost"
	answerLost    event = "an answer is lost"
	callLate      event = "a call comes late"
	callRefused   event = "a call is refused"
	killedBefore  event = "it is killed before a call"
	killedBehind  event = "it is killed behind a call"
	sleeps        event = "it sleeps, and its lease is lost"
	sleepsOver    event = "it sleeps over its lease, and another comes"
	anotherComes  event = "another comes"
	anotherKilled event = "another is killed that came while it slept"
)

var events = []event{nothing, callLost, answerLost, callLate, callRefused, killedBefore, killedBehind, sleeps, sleepsOver, sleepsOver, anotherComes, anotherKilled}

func eventNames() (names []string) {
	for _, e := range events {
		names = append(names, string(e))
	}
	return names
}

// patience is how long any command may take, faults and all.
const patience = 30 * time.Second

// one carries a command out, and something happens.
func (r *totalsRun) one() {
	c, what := r.drawCommand(), pick(r, "event", events)
	p := r.process()
	defer p.kill()
	p.nth, p.writes, p.lag = rapid.IntRange(1, 30).Draw(r.T, "nth"), rapid.Bool().Draw(r.T, "of the writes"), rapid.IntRange(1, 3).Draw(r.T, "lag")
	looks := rapid.IntRange(0, 2).Draw(r.T, "looks") == 0
	switch what {
	case killedBehind:
		p.behind = true
	case sleeps, sleepsOver, anotherKilled, anotherComes, nothing:
		p.behind = rapid.Bool().Draw(r.T, "behind the call")
	}
	slept, sleptOver := pick(r, "slept", []outcome{passes, isLost, isUnheard}), pick(r, "slept over", []outcome{isTooOld, isLost})
	if p.behind {
		slept = pick(r, "heard", []outcome{passes, isLost})
		sleptOver = slept
	}
	var second task
	var other *process
	switch what {
	case sleepsOver, anotherComes, anotherKilled:
		second, other = r.drawCommand(), r.process()
		defer other.kill()
		if what == anotherKilled {
			other.nth, other.writes = rapid.IntRange(1, 30).Draw(r.T, "nth of the other"), rapid.Bool().Draw(r.T, "of its writes")
			other.behind = rapid.Bool().Draw(r.T, "behind the other's call")
			other.meets = func() outcome { other.dies(); return isLost }
		}
	}
	r.Logf("%s: %s; at call %d (of writes alone %v): %s %s", usage.FormatTime(r.world.now()), c.what, p.nth, p.writes, what, second.what)
	if what == nothing && !looks {
		p.nth = 0
	}
	var wrong []string // found while the command is at work
	var others error
	ended := make(chan struct{})
	close(ended)
	met := false
	p.meets = func() outcome {
		met = true
		if looks {
			wrong = append(wrong, r.look(false)...)
		}
		switch what {
		case callLost:
			return isLost
		case answerLost:
			return isUnheard
		case callLate:
			return comesLate
		case callRefused:
			return isRefused
		case killedBefore, killedBehind:
			p.dies()
			return isLost
		case sleeps: // for so long a call may be on its way
			r.world.pass(2 * time.Minute)
			return slept
		case sleepsOver, anotherKilled:
			r.world.pass(10 * time.Minute)
			others = second.do(other.ctx, other.operator(r.t))
			if what == anotherKilled {
				r.world.pass(10 * time.Minute)
			}
			if looks {
				wrong = append(wrong, r.look(false)...)
			}
			return sleptOver
		case anotherComes:
			ended = make(chan struct{})
			go func() {
				defer close(ended)
				others = second.do(other.ctx, other.operator(r.t))
			}()
		}
		return passes
	}
	err := c.do(p.ctx, p.operator(r.t))
	<-ended
	if !met {
		what = nothing
	}
	r.seen[string(what)]++
	if what == killedBefore || what == killedBehind || what == callRefused { // perhaps the giving back
		r.world.pass(10 * time.Minute)
	}
	if len(wrong) > 0 {
		r.Fatalf("while it is at work: %s", strings.Join(wrong, "\n"))
	}
	mayFail := map[event]bool{callRefused: true, killedBefore: true, killedBehind: true}
	if err != nil && !mayFail[what] && !isMoved(err) {
		r.Fatalf("%s fails, when %s: %v", c.what, what, err)
	}
	if others != nil && what != anotherKilled && !isMoved(others) {
		r.Fatalf("the other's %s fails: %v", second.what, others)
	}
	r.Logf("  it ended with %v, the other with %v", err, others)
	if isMoved(err) || isMoved(others) {
		r.seen["a time zone changed meanwhile"]++
	}
	r.broken = r.broken || err != nil || others != nil
	if !r.broken && !r.later && rapid.IntRange(0, 3).Draw(r.T, "looks behind it") == 0 {
		r.atRest()
	}
}

// isMoved reports whether a command was refused since another has changed the time zone of
// a customer that it had read before.
func isMoved(err error) bool {
	return err != nil && strings.Contains(err.Error(), "its time zone has been changed meanwhile")
}

func (r *totalsRun) process() *process {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	context.AfterFunc(ctx, cancel)
	p := r.world.process(ctx)
	p.skew = time.Duration(rapid.IntRange(-20, 20).Draw(r.T, "skew")) * time.Second
	p.renew = pick(r, "renewed after", []time.Duration{time.Minute, 5 * time.Millisecond})
	return p
}

// all carries some commands out, and brings all to rest.
func (r *totalsRun) all() {
	defer func() {
		for _, account := range r.accounts { // the next run's imports read all customers
			_ = r.world.direct.DeleteCustomer(context.Background(), account)
			_ = r.world.direct.DeleteGrant(context.Background(), r.grant(account))
		}
	}()
	for range rapid.IntRange(1, 4).Draw(r.T, "commands") {
		r.one()
		r.world.pass(pick(r, "pass", []time.Duration{0, 0, time.Minute, 25 * time.Hour, 29 * 24 * time.Hour}))
	}
	var last []task
	if r.broken { // the next who writes mends it
		last = append(last, r.importing())
	}
	for _, account := range r.accounts {
		_, err := r.world.direct.GetCustomer(context.Background(), account)
		if fault.Is(err, fault.NotFound) {
			last = append(last, r.apply("made anew", fmt.Sprintf("customers: [{accountId: %q, name: Acme, products: [sms, voice, video, messaging], currency: EUR, billingMode: prepaid, timeZone: %s}]\n",
				account, cmp.Or(pick(r, "zone", r.zones), "UTC"))))
		}
	}
	if r.later {
		last = append(last, r.rebuilding(r.accounts[0]), r.rebuilding(r.accounts[1]))
	}
	for _, c := range last {
		p := r.process()
		defer p.kill()
		r.Logf("at last %s", c.what)
		if err := c.do(p.ctx, p.operator(r.t)); err != nil {
			r.Fatalf("the last %s: %v", c.what, err)
		}
	}
	r.atRest()
	holder, err := r.world.direct.Writer(context.Background(), time.Time{})
	r.must(err)
	r.world.whole = holder == nil // else somebody was not let give the lease back
}

// atRest holds all that is stored to the reference.
func (r *totalsRun) atRest() {
	r.Helper()
	if wrong := r.look(true); len(wrong) > 0 {
		r.Fatalf("at rest: %s", strings.Join(wrong, "\n"))
	}
}

// look compares what is stored with the reference, and says what is wrong. Not at rest it
// passes over what is pending.
func (r *totalsRun) look(rest bool) (wrong []string) {
	ctx, s := context.Background(), r.world.direct
	say := func(format string, a ...any) {
		wrong = append(wrong, strings.ReplaceAll(fmt.Sprintf(format, a...), r.number, ""))
	}
	ready, err := s.TotalsReady(ctx)
	if err != nil || rest && !ready {
		say("ready is %v, %v", ready, err)
	}
	if !ready || err != nil {
		return wrong
	}
	now := r.world.now()
	ref, err := readReference(ctx, s, r.logs, now)
	if err != nil {
		return append(wrong, err.Error())
	}
	days, err := s.DayTotals(ctx, ref.logs, "2000-01-01", "2100-01-01")
	if err != nil {
		return append(wrong, err.Error())
	}
	pending := map[totals.LogDay]bool{}
	pendingMonths := map[totals.AccountMonth]bool{}
	var counted []totals.Dated
	for _, d := range days {
		at := totals.LogDay{Log: d.Log, Day: d.Day}
		switch {
		case d.Stale || d.Zone.String() != ref.zones[d.Account].String():
			if rest {
				say("%s %s is pending (stale: %v), in zone %s", d.Log.Text(), d.Day, d.Stale, d.Zone)
			}
			pending[at] = true
		case d.Expired(now) != ref.expired[at]:
			say("%s %s is past its retention: %v, its records: %v", d.Log.Text(), d.Day, d.Expired(now), ref.expired[at])
		case !d.Expired(now):
			counted = append(counted, d)
		}
	}
	for _, by := range r.groupings(rest) {
		got := textOf(totals.Rows(counted, by, false), by)
		want := ref.rows(by, func(p priced) bool { return !pending[totals.LogDay{Log: p.Log, Day: p.day}] })
		if diff := gocmp.Diff(want, got); diff != "" {
			say("rows by %v (-want +got):\n%s", by, diff)
			break
		}
	}
	var months []totals.AccountMonth
	for _, p := range ref.records {
		if m := (totals.AccountMonth{Account: p.Account, Month: totals.Month(p.day[:7])}); !slices.Contains(months, m) {
			months = append(months, m)
		}
	}
	stored, err := s.MonthTotals(ctx, months)
	if err != nil {
		return append(wrong, err.Error())
	}
	for _, m := range months {
		month, exists := stored[m]
		switch {
		case exists && (month.Stale || month.Zone.String() != ref.zones[m.Account].String()):
			if rest {
				say("%s %s is pending (stale: %v), in zone %s", m.Account, m.Month, month.Stale, month.Zone)
			}
			pendingMonths[m] = true
			continue
		case exists && totals.IsPast(month.ExpiresAt, now) || ref.anyExpired(m):
			continue
		}
		by := []totals.Dimension{totals.ByMonth, totals.ByProduct, totals.ByPriceStatus}
		want := ref.rows(by, func(p priced) bool { return p.Account == m.Account && totals.Month(p.day[:7]) == m.Month })
		var sheets []totals.Dated
		for product, of := range month.Logs {
			sheets = append(sheets, totals.Dated{Log: usage.Log{Account: m.Account, Product: product}, Day: m.Month.First(), Sheet: of.Sheet})
		}
		if diff := gocmp.Diff(want, textOf(totals.Rows(sheets, by, false), by)); diff != "" {
			say("%s %s (-want +got):\n%s", m.Account, m.Month, diff)
		}
	}
	open, later, err := s.DaysUnderWay(ctx)
	if err != nil || rest && len(open)+len(later) > 0 {
		say("open are %v, left for later %v: %v", open, later, err)
	}
	states, err := s.LogTotals(ctx, ref.logs)
	if err != nil || rest && slices.ContainsFunc(states, func(l totals.LogState) bool { return l.Stale }) {
		say("the states of the logs are %v: %v", states, err)
	}
	for _, l := range states {
		if first, last := ref.span(l.Log); !l.Stale && (l.FirstDay != first || l.LastDay != last) && !ref.anyExpiredOf(l.Log) {
			say("%s is from %s to %s, its records from %s to %s", l.Log.Text(), l.FirstDay, l.LastDay, first, last)
		}
	}
	r.lookAtSummaries(ref, rest, say)
	if rest {
		r.seen["at rest"]++
	} else {
		r.seen["looks"]++
		r.seen["looks, days pending"] += len(pending)
		r.seen["looks, days counted"] += len(counted)
	}
	return wrong
}

// span is the first and the last day of a log with records.
func (ref reference) span(log usage.Log) (first, last totals.Day) {
	for _, p := range ref.records {
		if p.Log == log {
			if first == "" || p.day < first {
				first = p.day
			}
			last = max(last, p.day)
		}
	}
	return first, last
}

func (ref reference) anyExpiredOf(log usage.Log) bool {
	for day := range ref.expired {
		if day.Log == log {
			return true
		}
	}
	return false
}

// anyExpired reports whether a record of a month was past its retention.
func (ref reference) anyExpired(m totals.AccountMonth) bool {
	for day := range maps.Keys(ref.expired) {
		if day.Account == m.Account && totals.Month(day.Day[:7]) == m.Month {
			return true
		}
	}
	return false
}

// lookAtSummaries asks the API, and holds what it answers to the reference: at rest all of
// it, else the days that are not named as pending.
func (r *totalsRun) lookAtSummaries(ref reference, rest bool, say func(string, ...any)) {
	if len(ref.products) == 0 {
		return
	}
	if r.deleted {
		for account := range ref.products {
			r.must(r.world.direct.PutGrant(context.Background(), r.grant(account)))
		}
	}
	handler := func(account usage.AccountID) http.Handler {
		return summaries(r.world.direct, directory.Viewer{Identity: directory.Identity{Partner: r.partner()}, Account: account,
			Products: usage.Products()}, r.world.now)
	}
	if rest && len(ref.products[r.accounts[0]]) == len(usage.Products()) {
		r.readChanges(ref, handler(r.accounts[0]), say)
	}
	var at []totals.Day
	for _, p := range ref.records {
		at = append(at, p.day)
	}
	span := totals.Span{From: "2026-01-15", To: "2026-01-16"}
	if len(at) > 0 {
		span = totals.Span{From: slices.Min(at).Add(-rapid.IntRange(0, 40).Draw(r.T, "days before the first")), To: slices.Max(at).Add(1 + rapid.IntRange(0, 40).Draw(r.T, "days behind the last"))}
		if rapid.Bool().Draw(r.T, "from within") {
			span.From = pick(r, "from", at)
		}
	}
	one := pick(r, "customer of a summary", slices.Sorted(maps.Keys(ref.products)))
	for _, account := range []usage.AccountID{"", one} {
		by := []totals.Dimension{totals.ByDay, totals.ByProduct}
		path := "/customers/" + string(one) + "/summary"
		if account == "" {
			by, path = append([]totals.Dimension{totals.ByCustomer}, by...), "/summary"
		}
		if rest {
			known := []totals.Dimension{totals.ByDay, totals.ByMonth, totals.ByProduct, totals.ByDirection, totals.ByStatus, totals.ByCountry, totals.ByChannel, totals.ByPriceStatus}
			if rapid.Bool().Draw(r.T, "of months") {
				known = []totals.Dimension{totals.ByMonth, totals.ByProduct, totals.ByPriceStatus}
			}
			if account == "" {
				known = append(known, totals.ByCustomer)
			}
			by = rapid.Permutation(known).Draw(r.T, "groupBy")[:rapid.IntRange(0, 3).Draw(r.T, "groups")]
			if slices.Contains(by, totals.ByDay) {
				by = slices.DeleteFunc(by, func(d totals.Dimension) bool { return d == totals.ByMonth })
			}
		}
		query := url.Values{"from": {string(span.From)}, "to": {string(span.To)}, "limit": {fmt.Sprint(pick(r, "limit", []int{200, 200, 200, 3}))}}
		got, err := askSummary(handler(account), path, by, query)
		if err != nil {
			say("%v", err)
			return
		}
		if rest && !got.whole {
			say("GET %s?%s is not complete: %v", path, query.Encode(), got.pending)
		}
		pending := func(p priced) bool { return got.pending[totals.LogDay{Log: p.Log, Day: p.day}] }
		want := ref.rows(by, func(p priced) bool {
			return slices.Contains(ref.products[p.Account], p.Product) && (account == "" || p.Account == account) && span.From <= p.day && p.day < span.To && !pending(p)
		})
		if !rest { // a pending day's row is as it was counted last
			for day := range got.pending {
				key := string(day.Day) + " " + string(day.Product)
				if account == "" {
					key = string(day.Account) + " " + key
				}
				delete(got.rows, key)
			}
		}
		if diff := gocmp.Diff(want, got.rows); diff != "" {
			say("GET %s?%s (-want +got):\n%s", path, query.Encode(), diff)
		}
	}
}

// readChanges brings a client's copy of a customer's days up to date by what has changed since
// it was read last, and holds it to the reference.
func (r *totalsRun) readChanges(ref reference, h http.Handler, say func(string, ...any)) {
	account := r.accounts[0]
	by := []totals.Dimension{totals.ByDay, totals.ByProduct}
	changes, err := askSummary(h, "/customers/"+string(account)+"/summary", by, url.Values{"updatedSince": {cmp.Or(r.asOf, "2000-01-01T00:00:00Z")}})
	if err != nil || !changes.whole {
		say("what has changed: complete is %v, %v", changes.whole, err)
		return
	}
	if r.copy == nil {
		r.copy = make(map[totals.Day]map[string]string)
	}
	since := r.asOf
	r.asOf = changes.asOf
	changed := make(map[totals.Day]map[string]string)
	for key, row := range changes.rows {
		day := totals.Day(key[:len("2006-01-02")])
		if changed[day] == nil {
			changed[day] = make(map[string]string)
		}
		if !strings.HasPrefix(row, "records 0 ") {
			changed[day][key] = row
		}
	}
	maps.Copy(r.copy, changed)
	got := make(map[string]string)
	for _, rows := range r.copy {
		maps.Copy(got, rows)
	}
	for day := range ref.expired { // a client knows of retentions
		if day.Account == account {
			delete(got, string(day.Day)+" "+string(day.Product))
		}
	}
	want := ref.rows(by, func(p priced) bool { return p.Account == account })
	if diff := gocmp.Diff(want, got); diff != "" {
		say("a copy of %s with what has changed since %q (-want +got):\n%s", account, since, diff)
	}
}

// groupings are by what is summed.
func (r *totalsRun) groupings(rest bool) [][]totals.Dimension {
	by := [][]totals.Dimension{
		{totals.ByCustomer, totals.ByDay, totals.ByProduct},
		{totals.ByDirection, totals.ByStatus, totals.ByCountry},
		{totals.ByChannel, totals.ByPriceStatus, totals.ByMonth},
	}
	if !rest {
		return by
	}
	all := []totals.Dimension{totals.ByCustomer, totals.ByDay, totals.ByMonth, totals.ByProduct, totals.ByDirection, totals.ByStatus, totals.ByCountry,
		totals.ByChannel, totals.ByPriceStatus}
	by = append(by, nil)
	for range 4 {
		by = append(by, rapid.Permutation(all).Draw(r.T, "grouping")[:rapid.IntRange(1, 3).Draw(r.T, "groups")])
	}
	return by
}
