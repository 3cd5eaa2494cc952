package connectortest

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/fault"
)

var errorTopics = []topic{
	{name: "errors/a store that does not answer", run: func(e *env) { e.refused(e.h.Missing, fault.Unavailable) }},
	{name: "errors/a DSN that is wrong", run: func(e *env) { e.refused(e.h.Wrong, fault.Invalid) }},
	{name: "errors/hold no values", run: errorValues},
	{name: "errors/cancelled", run: errorCancelled},
	{name: "errors/timeout", run: errorTimeout},
}

func (e *env) refused(c connector.Config, kind fault.Kind) {
	e.Helper()
	store, err := e.h.Open(e.Context(), c)
	if err == nil {
		_ = store.Close()
		e.Fatal("it opens")
	}
	if fault.KindOf(err) != kind {
		e.Errorf("the error is %s, want %s: %v", fault.KindOf(err), kind, err)
	}
	for _, s := range []string{e.h.Secret, c.DSN} {
		if s != "" && strings.Contains(err.Error(), s) {
			e.Error("the error repeats the DSN or its secret")
		}
	}
}

// errorValues provokes errors of the engine with a recognisable value.
func errorValues(e *env) {
	const secret = "s3cr3t-value"
	e.create("v", e.col("id", connector.Text, "NOT NULL PRIMARY KEY"), e.col("n", connector.Int, "NOT NULL"), e.col("d", connector.Decimal))
	e.insert("v", "id,n", secret, 1)
	e.insert("v", "id,n", "b", 2)
	t := e.table("v")
	key := []connector.Key{{text(secret)}}
	for what, act := range map[string]connector.Act{
		"not null": {Verb: connector.Update, Table: t, Rows: key, Set: []string{"n"}, Values: [][]connector.Value{{{}}}},
		"unique":   {Verb: connector.Update, Table: t, Rows: []connector.Key{{text("b")}}, Set: []string{"id"}, Values: [][]connector.Value{{text(secret)}}},
		"column":   {Verb: connector.Update, Table: t, Rows: key, Set: []string{"nothing"}, Values: [][]connector.Value{{text(secret)}}},
		"arity":    {Verb: connector.Update, Table: t, Rows: key, Set: []string{"n", "d"}, Values: [][]connector.Value{{text(secret)}}},
		"verb":     {Verb: "drop", Table: t, Rows: key},
	} {
		tx := e.begin()
		_, err := tx.Do(e.Context(), []connector.Act{act})
		if err == nil {
			e.Errorf("%s: no error", what)
		} else if strings.Contains(err.Error(), secret) || e.h.Secret != "" && strings.Contains(err.Error(), e.h.Secret) {
			e.Errorf("%s: the error holds the value: %v", what, err)
		}
		if err := tx.Rollback(e.Context()); err != nil {
			e.Errorf("%s: rolling back: %v", what, err)
		}
	}
	e.remain("v", 2)
}

func errorCancelled(e *env) {
	t := e.people(3)
	ctx, cancel := context.WithCancel(e.Context())
	cancel()
	nothing := func(int, []connector.Value) error { return nil }
	qs := []connector.Select{{Table: t, Columns: []string{"id"}}}
	_, schemaErr := e.store.Schema(ctx)
	_, countErr := e.store.Count(ctx, qs)
	_, beginErr := e.store.Begin(ctx)
	for what, err := range map[string]error{
		"select": e.store.Select(ctx, qs, nothing), "look": e.store.Look(ctx, qs, nothing),
		"schema": schemaErr, "count": countErr, "begin": beginErr,
	} {
		if !errors.Is(err, context.Canceled) {
			e.Errorf("%s after cancellation: %v", what, err)
		}
	}
	e.want(t, "id", is("id", num(1)), "1") // the store works on
}

// errorTimeout: a statement that waits for another's lock ends with the configured timeout.
func errorTimeout(e *env) {
	e.people(2)
	c := e.sys.Config
	c.Timeout = 300 * time.Millisecond
	store, err := e.h.Open(e.Context(), c)
	if err != nil {
		e.Fatal(err)
	}
	defer store.Close()
	t := e.table("people")
	first := e.begin()
	defer first.Rollback(e.Context())
	act := connector.Act{Verb: connector.Delete, Table: t, Rows: nums(1)}
	if _, err := first.Do(e.Context(), []connector.Act{act}); err != nil {
		e.Fatal(err)
	}
	second, err := store.Begin(e.Context())
	if err == nil {
		_, err = second.Do(e.Context(), []connector.Act{act})
		_ = second.Rollback(e.Context())
	}
	if fault.KindOf(err) != fault.Unavailable {
		e.Errorf("waiting for a lock beyond the timeout: %v", err)
	}
}
