package cli_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ombudhq/ombud/cli"
)

// TestHelp keeps what --help says of every command; make golden writes it anew.
func TestHelp(t *testing.T) {
	var out strings.Builder
	commands := []string{""}
	for len(commands) > 0 {
		c := commands[0]
		text := help(t, c)
		out.WriteString("$ ombud " + strings.TrimSpace(c+" --help") + "\n" + text + "\n")
		commands = append(below(c, text), commands[1:]...)
	}
	const golden = "testdata/help.txt"
	if os.Getenv("OMBUD_UPDATE") != "" {
		if err := os.WriteFile(golden, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Errorf("make golden writes it anew:\n%s", diff)
	}
}

func help(t *testing.T, command string) string {
	t.Helper()
	var out, errs bytes.Buffer
	code := cli.Run(t.Context(), cli.Env{Args: append(strings.Fields(command), "--help"), Stdout: &out, Stderr: &errs}, cli.Program{})
	if code != 0 || errs.Len() > 0 {
		t.Fatalf("%s --help: exit %d, %s", command, code, errs.String())
	}
	return out.String()
}

// below are the commands that a help text lists.
func below(command, text string) []string {
	_, list, found := strings.Cut(text, "\nCommands:\n")
	if !found {
		return nil
	}
	var out []string
	for _, line := range strings.Split(list, "\n") {
		if strings.HasPrefix(line, "  ") && !strings.HasPrefix(line, "   ") {
			words := strings.Fields(line)
			if command != "" && words[0] == strings.Fields(command)[0] {
				words = words[len(strings.Fields(command)):]
			}
			out = append(out, strings.TrimSpace(command+" "+words[0]))
		}
	}
	return out
}
