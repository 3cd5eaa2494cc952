package plan_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/fault"
)

// defect is one way in which a store fails or lies.
type defect string

const (
	deleteSkipped defect = "a delete is reported and not done"
	updateSkipped defect = "an update is reported and not done"
	fewerRows     defect = "all rows but one are changed, all are reported"
	firstOnly     defect = "only the first row is changed, all are reported"
	keylessLie    defect = "a delete from a table without a key is reported and not done"
	dropsOut      defect = "the connection drops at a statement"
	timesOut      defect = "a statement runs out of time"
	readOnly      defect = "the store takes no writes"
	commitFails   defect = "the commit fails and nothing is done"
	commitLies    defect = "the commit is confirmed and nothing is done"
	answerLost    defect = "the commit is done and its answer lost"
	rowReturns    defect = "a row is inserted again right after the commit"
	lookFails     defect = "the table cannot be read for the proof"
	goneMidway    defect = "the table vanishes once the run has begun"
	downMidway    defect = "the store goes down once the run has begun"
	goneAtRun     defect = "the table vanishes between plan and run"
	downAtRun     defect = "the store is down when the run begins"
	downAtPlan    defect = "the store is down at the plan"
	noSelect      defect = "the right to read is missing"
	noDelete      defect = "the right to delete is missing"
	noUpdate      defect = "the right to change is missing"
	rowSecurity   defect = "row security hides rows"
)

// defects in the order in which seeds take their turns.
var defects = []defect{deleteSkipped, updateSkipped, fewerRows, firstOnly, keylessLie, dropsOut, timesOut, readOnly, commitFails, commitLies,
	answerLost, rowReturns, lookFails, goneMidway, downMidway, goneAtRun, downAtRun, downAtPlan, noSelect, noDelete, noUpdate, rowSecurity}

// lies are defects that no error shows: only looking again can find them.
var lies = []defect{deleteSkipped, updateSkipped, fewerRows, firstOnly, keylessLie, commitLies, rowReturns}

// injection is a defect of one table, or of the store that has it. It does nothing until it is set.
type injection struct {
	mu      sync.Mutex
	defect  defect
	dataset string
	bring   func() // inserts the row again
}

func (in *injection) set(d defect, dataset string, bring func()) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.defect, in.dataset, in.bring = d, dataset, bring
}

func (in *injection) lift() { in.set("", "", nil) }

// fullStore is all that a connector of ours can do.
type fullStore interface {
	connector.Store
	connector.Maintainer
	connector.Evaluator
	connector.Explainer
}

// badStore is a real store with an injection in front of it.
type badStore struct {
	fullStore
	in    *injection
	mu    sync.Mutex
	names map[string]bool // its datasets
}

func (in *injection) wrap(t *testing.T) func(connector.Store) connector.Store {
	return func(s connector.Store) connector.Store {
		full, ok := s.(fullStore)
		if !ok {
			t.Fatal("the store lacks one of the further interfaces")
		}
		return &badStore{fullStore: full, in: in, names: map[string]bool{}}
	}
}

// suffers is the defect in force here and the dataset it is about; "" for none.
func (s *badStore) suffers() (defect, string) {
	s.in.mu.Lock()
	defer s.in.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.names[s.in.dataset] {
		return "", ""
	}
	return s.in.defect, s.in.dataset
}

var errDown = fault.New(fault.Unavailable, "the store does not answer")

// down fails when the whole store does, or when one of the tables is gone.
func (s *badStore) down(qs ...connector.Select) error {
	d, dataset := s.suffers()
	switch d {
	case downMidway, downAtRun, downAtPlan:
		return errDown
	case goneMidway, goneAtRun:
		if slices.ContainsFunc(qs, func(q connector.Select) bool { return q.Table.Dataset() == dataset }) {
			return errors.New("no such table")
		}
	}
	return nil
}

func (s *badStore) Fingerprint(ctx context.Context) (string, error) {
	if err := s.down(); err != nil {
		return "", err
	}
	d, _ := s.suffers()
	print, err := s.fullStore.Fingerprint(ctx)
	return print + string(d), err
}

func (s *badStore) Schema(ctx context.Context) (*connector.Schema, error) {
	if err := s.down(); err != nil {
		return nil, err
	}
	sc, err := s.fullStore.Schema(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	for _, t := range sc.Tables {
		s.names[t.Dataset()] = true
	}
	s.mu.Unlock()
	d, dataset := s.suffers()
	return disfigure(sc, d, dataset), nil
}

// disfigure gives the schema as the defect shows it.
func disfigure(sc *connector.Schema, d defect, dataset string) *connector.Schema {
	i := slices.IndexFunc(sc.Tables, func(t *connector.Table) bool { return t.Dataset() == dataset })
	if i < 0 {
		return sc
	}
	out, t := *sc, *sc.Tables[i]
	out.Tables = slices.Clone(sc.Tables)
	out.Tables[i] = &t
	switch d {
	case goneAtRun, goneMidway:
		out.Tables = slices.Delete(out.Tables, i, i+1)
	case noSelect:
		t.Rights.Select = false
	case noDelete:
		t.Rights.Delete = false
	case noUpdate:
		t.Rights.Update = false
	case rowSecurity:
		t.RowSecurity = true
	}
	return &out
}

func (s *badStore) Select(ctx context.Context, qs []connector.Select, row func(int, []connector.Value) error) error {
	if err := s.down(qs...); err != nil {
		return err
	}
	return s.fullStore.Select(ctx, qs, row)
}

func (s *badStore) Count(ctx context.Context, qs []connector.Select) ([]int64, error) {
	if err := s.down(qs...); err != nil {
		return nil, err
	}
	return s.fullStore.Count(ctx, qs)
}

func (s *badStore) Look(ctx context.Context, qs []connector.Select, row func(int, []connector.Value) error) error {
	if err := s.down(qs...); err != nil {
		return err
	}
	d, dataset := s.suffers()
	if d == lookFails && slices.ContainsFunc(qs, func(q connector.Select) bool { return q.Table.Dataset() == dataset }) {
		return errDown
	}
	return s.fullStore.Look(ctx, qs, row)
}

func (s *badStore) Begin(ctx context.Context) (connector.Tx, error) {
	if err := s.down(); err != nil {
		return nil, err
	}
	tx, err := s.fullStore.Begin(ctx)
	if err != nil {
		return nil, err
	}
	bad := &badTx{Tx: tx, s: s}
	if together, ok := tx.(connector.CycleDeleter); ok {
		return &badCycleTx{badTx: bad, together: together}, nil
	}
	if rekeys, ok := tx.(connector.Rekeyer); ok {
		return &badRekeyTx{badTx: bad, rekeys: rekeys}, nil
	}
	return bad, nil
}

// badTx is a transaction of a badStore.
type badTx struct {
	connector.Tx
	s     *badStore
	took  bool // rows of the dataset were deleted in it
	ended bool
}

// badCycleTx is one of an engine that deletes circles in one statement.
type badCycleTx struct {
	*badTx
	together connector.CycleDeleter
}

// badRekeyTx is one of an engine that changes keys apart from other acts.
type badRekeyTx struct {
	*badTx
	rekeys connector.Rekeyer
}

func (x *badCycleTx) Rekey(ctx context.Context, acts []connector.Act) ([]int64, error) {
	return x.do(ctx, acts, x.Tx.(connector.Rekeyer).Rekey)
}

func (x *badRekeyTx) Rekey(ctx context.Context, acts []connector.Act) ([]int64, error) {
	return x.do(ctx, acts, x.rekeys.Rekey)
}

func (x *badTx) Do(ctx context.Context, acts []connector.Act) ([]int64, error) {
	return x.do(ctx, acts, x.Tx.Do)
}

func (x *badCycleTx) DoTogether(ctx context.Context, acts []connector.Act) ([]int64, error) {
	return x.do(ctx, acts, x.together.DoTogether)
}

// do does what the defect leaves of the acts and reports what was asked for.
func (x *badTx) do(ctx context.Context, acts []connector.Act, real func(context.Context, []connector.Act) ([]int64, error)) ([]int64, error) {
	d, dataset := x.s.suffers()
	var doing []connector.Act
	var at []int
	counts := make([]int64, len(acts))
	for i, a := range acts {
		if a.Table.Dataset() == dataset {
			if err := refuses(d, a); err != nil {
				_, before := x.Tx.Do(ctx, doing)
				return nil, errors.Join(err, before)
			}
			x.took = x.took || a.Verb == connector.Delete
			if counts[i] = int64(len(a.Rows)); !shorten(d, &a) {
				continue
			}
		}
		doing, at = append(doing, a), append(at, i)
	}
	if len(doing) == 0 {
		return counts, nil
	}
	got, err := real(ctx, doing)
	for i, n := range got {
		if counts[at[i]] == 0 || !slices.Contains(lies, d) {
			counts[at[i]] = n
		}
	}
	return counts, err
}

func refuses(d defect, a connector.Act) error {
	switch {
	case d == dropsOut:
		return errDown
	case d == timesOut:
		return fault.Wrap(fault.Unavailable, context.DeadlineExceeded, "the statement took too long")
	case d == readOnly, d == noSelect, d == noDelete && a.Verb == connector.Delete, d == noUpdate && a.Verb == connector.Update:
		return errors.New("permission denied")
	}
	return nil
}

// shorten leaves the rows of an act that a lying store works on; false when there are none.
func shorten(d defect, a *connector.Act) bool {
	n := len(a.Rows)
	switch {
	case (d == deleteSkipped || d == keylessLie) && a.Verb == connector.Delete, d == updateSkipped && a.Verb == connector.Update:
		n = 0
	case d == fewerRows:
		n--
	case d == firstOnly:
		n = min(n, 1)
	}
	if len(a.Values) == len(a.Rows) && n > 0 {
		a.Values = a.Values[:n]
	}
	if len(a.Expect) > 0 {
		a.Expect = a.Expect[:n]
	}
	a.Rows = a.Rows[:n]
	return n > 0
}

func (x *badTx) Commit(ctx context.Context) error {
	d, _ := x.s.suffers()
	switch d {
	case commitFails, commitLies:
		x.ended = true
		err := x.Tx.Rollback(ctx)
		if d == commitFails && err == nil {
			return errDown
		}
		return err
	case answerLost:
		x.ended = true
		if err := x.Tx.Commit(ctx); err != nil {
			return err
		}
		return errDown
	case downMidway:
		return errDown
	}
	err := x.Tx.Commit(ctx)
	x.s.in.mu.Lock()
	defer x.s.in.mu.Unlock()
	if err == nil && d == rowReturns && x.took {
		x.s.in.bring()
	}
	return err
}

func (x *badTx) Rollback(ctx context.Context) error {
	if x.ended {
		return nil
	}
	return x.Tx.Rollback(ctx)
}
