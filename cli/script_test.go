package cli_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	_ "modernc.org/sqlite"

	"github.com/ombudhq/ombud/app"
	"github.com/ombudhq/ombud/cli"
)

// The scripts run the program as it ships, each in a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"ombud": func() { os.Exit(ombud()) },
		"sqlite": func() {
			if err := sqlite(os.Args[1], os.Args[2]); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		},
	})
}

func ombud() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	env, err := cli.System()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 6
	}
	return cli.Run(ctx, env, app.Program(app.Options{Version: "test"}))
}

// sqlite runs a file of statements, or one statement, on a database, and prints the rows of a query.
func sqlite(path, text string) error {
	if b, err := os.ReadFile(text); err == nil {
		text = string(b)
	}
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		return err
	}
	defer db.Close()
	if !strings.HasPrefix(strings.ToLower(strings.TrimSpace(text)), "select") {
		_, err := db.Exec(text)
		return err
	}
	rows, err := db.Query(text)
	if err != nil {
		return err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	for rows.Next() {
		cells, into := make([]sql.NullString, len(names)), make([]any, len(names))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		var texts []string
		for _, c := range cells {
			texts = append(texts, c.String)
		}
		fmt.Println(strings.Join(texts, "|"))
	}
	return rows.Err()
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		UpdateScripts:       os.Getenv("OMBUD_UPDATE") != "",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code": code, "field": field, "await": await, "mode": mode, "object": object,
		},
	})
}

// code N COMMAND…: the program ends with this exit code.
func code(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
}

// field PATH [NAME]: a field of the JSON object just printed, given to the environment as NAME or else printed.
func field(ts *testscript.TestScript, neg bool, args []string) {
	var v any
	d := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	d.UseNumber() // revisions need every digit
	if err := d.Decode(&v); err != nil {
		ts.Fatalf("stdout is not one JSON object: %v", err)
	}
	for _, step := range strings.Split(args[0], ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[step]
		case []any:
			var i int
			if _, err := fmt.Sscan(step, &i); err != nil || i >= len(x) {
				ts.Fatalf("no element %s", step)
			}
			v = x[i]
		default:
			ts.Fatalf("nothing at %s", step)
		}
	}
	if len(args) > 2 { // field PATH = VALUE
		if got := fmt.Sprint(v); (got == args[2]) == neg {
			ts.Fatalf("%s is %s, want %s", args[0], got, args[2])
		}
		return
	}
	ts.Setenv(args[1], fmt.Sprint(v))
}

// object FIELD…: stdout is exactly one JSON object with at least these fields.
func object(ts *testscript.TestScript, _ bool, args []string) {
	var v map[string]any
	d := json.NewDecoder(bytes.NewReader([]byte(ts.ReadFile("stdout"))))
	if err := d.Decode(&v); err != nil || d.More() {
		ts.Fatalf("stdout is not one JSON object: %v", err)
	}
	for _, f := range args {
		if x, ok := v[f]; !ok || x == nil {
			ts.Fatalf("the object has no %s", f)
		}
	}
}

// await FILE: until it is there.
func await(ts *testscript.TestScript, _ bool, args []string) {
	for end := time.After(2 * time.Minute); ; {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
		select {
		case <-end:
			ts.Fatalf("%s never came", args[0])
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// mode FILE OCTAL: who may do what with a file.
func mode(ts *testscript.TestScript, _ bool, args []string) {
	st, err := os.Stat(ts.MkAbs(args[0]))
	if err != nil {
		ts.Fatalf("%v", err)
	}
	if got := fmt.Sprintf("%o", st.Mode().Perm()); got != args[1] {
		ts.Fatalf("%s has mode %s, want %s", filepath.Base(args[0]), got, args[1])
	}
}
