package arch_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	linked  = regexp.MustCompile(`\]\(([^)#\s]+)`)
	named   = regexp.MustCompile("`((?:Test|Fuzz)[A-Z]\\w*|\\w+\\.txtar)`")
	defined = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Z]\w*)\(`)
)

// TestDocsPointAtWhatIsThere: every link between our texts leads to a file, and every test that they name is one.
func TestDocsPointAtWhatIsThere(t *testing.T) {
	const root = "../../.."
	tests, texts := map[string]bool{}, map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		name := d.Name()
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == "node_modules" || len(name) > 2 && name[0] == '.'):
			return fs.SkipDir
		case filepath.Ext(name) == ".txtar":
			tests[name] = true
		case filepath.Ext(name) == ".md" || strings.HasSuffix(name, "_test.go"):
			b, err := os.ReadFile(path)
			if filepath.Ext(name) == ".md" {
				texts[path] = string(b)
			}
			for _, m := range defined.FindAllSubmatch(b, -1) {
				tests[string(m[1])] = true
			}
			return err
		}
		return nil
	})
	if err != nil || len(texts) < 10 || len(tests) < 500 {
		t.Fatalf("%d texts and %d tests were found: %v", len(texts), len(tests), err)
	}
	for path, text := range texts {
		for _, m := range linked.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), m[1])); err != nil && !strings.Contains(m[1], "://") {
				t.Errorf("%s: %s leads nowhere", path, m[1])
			}
		}
		for _, m := range named.FindAllStringSubmatch(text, -1) {
			if !tests[m[1]] {
				t.Errorf("%s: there is no test %s", path, m[1])
			}
		}
	}
}
