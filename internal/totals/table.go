package totals

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"partnerview/internal/money"
	"partnerview/internal/usage"
)

// Page is which of a table's rows are wanted.
type Page struct {
	After   *Key // only rows behind this key; nil: from the first
	Most    int  // how many rows; 0: all
	Emptied bool // a day without any record shows too, with 0
}

// Table adds sheets up to rows. However many there are, it keeps little more than the
// page that is wanted.
type Table struct {
	by      []Dimension
	page    Page
	rows    map[Key]*tally
	cut     *Key              // rows behind it were left out: there are enough before it
	emptied map[Key]time.Time // days without records, by the key of their row
	filled  map[Key]bool      // days with records, by their cell; only with Emptied
	pending []pendingDay
}

// pendingDay is a day that is being counted, and the keys of its rows.
type pendingDay struct {
	LogDay
	keys []Key
}

// NewTable makes a table without rows.
func NewTable(by []Dimension, page Page) *Table {
	return &Table{by: by, page: page, rows: make(map[Key]*tally),
		emptied: make(map[Key]time.Time), filled: make(map[Key]bool)}
}

// Add adds a sheet.
func (t *Table) Add(d Dated) {
	if len(d.Sheet) == 0 {
		if key := t.key(d, Group{}); t.page.Emptied && t.wants(key) {
			t.emptied[key] = later(t.emptied[key], d.UpdatedAt)
		}
		return
	}
	for g, sums := range d.Sheet {
		key := t.key(d, g)
		if t.page.Emptied {
			t.filled[t.cell(key)] = true
		}
		if !t.wants(key) {
			continue
		}
		row, exists := t.rows[key]
		if !exists {
			row = &tally{charged: make(map[money.Currency]Charged), products: make(map[usage.Product]bool)}
			t.rows[key] = row
		}
		row.add(d, g, sums)
	}
	if t.page.Most > 0 && len(t.rows) > 4*(t.page.Most+1) {
		t.prune()
	}
}

// Pend notes that a day is being counted.
func (t *Table) Pend(d Dated) {
	p := pendingDay{LogDay: LogDay{Log: d.Log, Day: d.Day}}
	groups := maps.Clone(d.Sheet)
	if len(groups) == 0 {
		groups = Sheet{{}: {}}
	}
	for g := range groups {
		if key := t.key(d, g); t.wants(key) && !slices.Contains(p.keys, key) {
			p.keys = append(p.keys, key)
		}
	}
	if len(p.keys) > 0 {
		t.pending = append(t.pending, p)
	}
}

// IsFull reports whether the page has all its rows, and there is one more.
func (t *Table) IsFull() bool { return t.page.Most > 0 && len(t.rows) > t.page.Most }

// Result is the wanted rows, in order; whether there are more; and which of the days that
// are being counted are theirs, or would be if they had records: by account, product and
// day.
func (t *Table) Result() (rows []Row, more bool, pending []LogDay) {
	rows = make([]Row, 0, len(t.rows))
	for key, row := range t.rows {
		rows = append(rows, row.row(key))
	}
	for key, updated := range t.emptied {
		if !t.filled[t.cell(key)] {
			rows = append(rows, Row{Key: key, UpdatedAt: updated})
		}
	}
	slices.SortFunc(rows, func(a, b Row) int { return compare(a.Key, b.Key, t.by) })
	if most := t.page.Most; most > 0 && len(rows) > most {
		rows, more = rows[:most], true
	}
	for _, p := range t.pending {
		onPage := func(k Key) bool { return compare(k, rows[len(rows)-1].Key, t.by) <= 0 }
		if !more || slices.ContainsFunc(p.keys, onPage) {
			pending = append(pending, p.LogDay)
		}
	}
	slices.SortFunc(pending, func(a, b LogDay) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account),
			cmp.Compare(rank(ByProduct, string(a.Product)), rank(ByProduct, string(b.Product))),
			cmp.Compare(a.Day, b.Day))
	})
	return rows, more, pending
}

// key is where a group of a sheet stands.
func (t *Table) key(d Dated, g Group) (key Key) {
	for i, dimension := range t.by {
		key[i] = d.value(dimension, g)
	}
	return key
}

// cell is a key without what records tell: the day, of one customer or product or of all.
func (t *Table) cell(key Key) Key {
	for i, dimension := range t.by {
		switch dimension {
		case ByCustomer, ByDay, ByMonth, ByProduct:
		default:
			key[i] = ""
		}
	}
	return key
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (t *Table) wants(key Key) bool {
	return (t.page.After == nil || compare(key, *t.page.After, t.by) > 0) &&
		(t.cut == nil || compare(key, *t.cut, t.by) <= 0)
}

// prune leaves out the rows behind the wanted ones and one more.
func (t *Table) prune() {
	keys := slices.SortedFunc(maps.Keys(t.rows), func(a, b Key) int { return compare(a, b, t.by) })
	t.cut = &keys[t.page.Most]
	for _, key := range keys[t.page.Most+1:] {
		delete(t.rows, key)
	}
}
