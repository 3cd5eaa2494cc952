// Package iabtest asks the IAB's reference libraries, which run in Node below test/iab, what they read and write.
package iabtest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Ask runs a script of test/iab with the arguments and the texts as its input, one to a line, and gives the values
// that it prints, one from a line. The test fails when the libraries are not installed: nothing is skipped.
func Ask[T any](t *testing.T, texts []string, script string, args ...string) []T {
	t.Helper()
	dir := filepath.Join(root(t), "test", "iab")
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal("the reference libraries are not installed: run make tools")
	}
	cmd := exec.Command("node", append([]string{script}, args...)...)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	cmd.Stdin = strings.NewReader(strings.Join(texts, "\n"))
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node %s: %v", script, err)
	}
	var answers []T
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Buffer(nil, 16<<20); lines.Scan(); {
		var answer T
		if err := json.Unmarshal(lines.Bytes(), &answer); err != nil {
			t.Fatalf("%s printed: %v", script, err)
		}
		answers = append(answers, answer)
	}
	return answers
}

// root is the directory of go.mod.
func root(t *testing.T) string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
	}
}
