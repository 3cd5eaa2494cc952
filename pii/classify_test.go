package pii

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestTokens(t *testing.T) {
	for name, want := range map[string]string{
		"customerEMail_2": "customer e mail 2", "IPAddress": "ip address", "HTTPServerID": "http server id", "first-name": "first name",
		"Straße": "strasse", "fødselsNummer": "fodsels nummer", "": "", "__": "", "card_last4": "card last 4", "ÅRSLØNN": "arslonn",
	} {
		if got := strings.Join(Tokens(name), " "); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// TestNames holds the dictionary to names as real schemas have them.
func TestNames(t *testing.T) {
	file, err := os.ReadFile("testdata/names.txt")
	if err != nil {
		t.Fatal(err)
	}
	var names, said, right, expected int
	var wrong []string
	for line := range strings.Lines(string(file)) {
		category, list, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if strings.HasPrefix(line, "#") || !ok {
			continue
		}
		for _, name := range strings.Fields(list) {
			names++
			got := string(ByName(name).Category)
			if category != "-" {
				expected++
			}
			if got != "" {
				said++
			}
			switch {
			case got == category:
				right++
			case got != "" || category != "-":
				wrong = append(wrong, fmt.Sprintf("%s: %q, want %q", name, got, category))
			}
		}
	}
	precision, recall := float64(right)/float64(said), float64(right)/float64(expected)
	t.Logf("%d names, %d personal; precision %.3f, recall %.3f\n%s", names, expected, precision, recall, strings.Join(wrong, "\n"))
	if names < 500 || precision < 0.95 || recall < 0.9 {
		t.Error("the dictionary is worse than promised")
	}
}

func texts(format string, n int) []string {
	var out []string
	for i := range n {
		s := format
		if strings.Contains(format, "%") {
			s = fmt.Sprintf(format, i)
		}
		out = append(out, s)
	}
	return out
}

func TestClassify(t *testing.T) {
	for _, c := range []struct {
		name    string
		samples []string
		holds   Holds
		want    string // category/kind
		atLeast float64
	}{
		{"email", texts("u%d@example.com", 20), Text, "contact/email", 0.99},
		{"login", texts("u%d@example.com", 20), Text, "contact/email", 0.9},
		{"c17", texts("u%d@example.com", 20), Text, "contact/email", 0.9},
		{"c17", texts("u%d@example.com", 2), Text, "/", 0},
		{"value", texts("NO9386011117947", 5), Text, "financial/iban", 0.9},
		{"value", texts("4111111111111111", 5), Text, "financial/card", 0.9},
		{"value", texts("10.0.0.%d", 9), Text, "technical/ip", 0.9},
		{"version", texts("10.0.0.%d", 9), Text, "/", 0},
		{"value", texts("+47 912 34 10%d", 9), Text, "contact/phone", 0.9},
		{"name", texts("Ida Nordmann", 9), Text, "identity/name", 0.8},
		{"comment_author", texts("Ida Nordmann", 9), Text, "identity/name", 0.8},
		{"comment_author", texts("nordlys%d", 9), Text, "communication/free_text", 0.5},
		{"name", texts("Two man tent", 9), Text, "/", 0},
		{"product_name", texts("Ida Nordmann", 9), Text, "/", 0},
		{"payload", texts("please write to u%d@example.com about it", 9), Text, "communication/free_text", 0.8},
		{"payload", texts("please send it back as soon as you can", 9), Text, "/", 0},
		{"email", nil, Flag, "/", 0},
		{"email", nil, Number, "/", 0},
		{"email", nil, Text, "contact/email", 0.9},
		{"born_at", nil, Moment, "identity/birth_date", 0.9},
		{"pregnant", nil, Flag, "health/", 0.9},
		{"order_no", texts("100%d", 9), Text, "/", 0},
	} {
		got := Classify(c.name, c.samples, c.holds)
		if fmt.Sprintf("%s/%s", got.Category, got.Kind) != c.want || got.Confidence < c.atLeast {
			t.Errorf("%s: %+v, want %s", c.name, got, c.want)
		}
		if got.Known() == (got.Reason == "") || strings.Contains(got.Reason, "@") {
			t.Errorf("%s: reason %q", c.name, got.Reason)
		}
	}
}

func TestDoubt(t *testing.T) {
	got := Classify("email", texts("n/a %d", 20), Text)
	if got.Confidence > 0.5 || !strings.Contains(got.Reason, "but only 0 %") {
		t.Errorf("%+v", got)
	}
}

func TestValidators(t *testing.T) {
	for s, want := range map[string]bool{"79927398713": true, "79927398710": false, "": false, "4a": false} {
		if Luhn(s) != want {
			t.Errorf("Luhn(%q)", s)
		}
	}
	for s, want := range map[string]bool{"NO9386011117947": true, "NO9386011117948": false, "GB82WEST12345698765432": true, "XX": false, "NO93860111179-7": false} {
		if IBANValid(s) != want {
			t.Errorf("IBANValid(%q)", s)
		}
	}
}

func TestCategories(t *testing.T) {
	if got := Categories(); len(got) != 21 || !slices.Contains(got, "health") {
		t.Error(got)
	}
	special := 0
	for _, c := range Categories() {
		if Category(c).Special() {
			special++
		}
	}
	if special != 8 {
		t.Errorf("%d special categories, Art. 9 has eight", special)
	}
}
