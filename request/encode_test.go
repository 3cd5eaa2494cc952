package request

import (
	"bytes"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/ombudhq/ombud/connector"
)

func TestAppendJSON(t *testing.T) {
	for _, c := range []struct {
		v    connector.Value
		want string
	}{
		{connector.Value{}, `null`},
		{connector.Value{Kind: connector.Int, S: "-12"}, `-12`},
		{connector.Value{Kind: connector.Int, S: "9007199254740993123"}, `9007199254740993123`},
		{connector.Value{Kind: connector.Int, S: "007"}, `"007"`},
		{connector.Value{Kind: connector.Decimal, S: "12.50"}, `12.50`},
		{connector.Value{Kind: connector.Decimal, S: "NaN"}, `"NaN"`},
		{connector.Value{Kind: connector.Float, S: "1e+06"}, `1e+06`},
		{connector.Value{Kind: connector.Float, S: "1e"}, `"1e"`},
		{connector.Value{Kind: connector.Float, S: "1e++6"}, `"1e++6"`},
		{connector.Value{Kind: connector.Bool, S: "true"}, `true`},
		{connector.Value{Kind: connector.JSON, S: `{"a": [1, 2]}`}, `{"a": [1, 2]}`},
		{connector.Value{Kind: connector.JSON, S: `{"a": `}, `"{\"a\": "`},
		{connector.Value{Kind: connector.Bytes, S: "\x00\xff"}, `{"base64":"AP8="}`},
		{connector.TextValue("a\xffb"), `{"base64":"Yf9i"}`},
		{connector.TextValue("</script>\u2028\x00\""), `"\u003c/script>\u2028\u0000\""`},
		{connector.TextValue("Åse 雪 🙂"), `"Åse 雪 🙂"`},
	} {
		if got := string(appendJSON(nil, c.v)); got != c.want {
			t.Errorf("%q: got %s, want %s", c.v.S, got, c.want)
		}
	}
}

// TestCellsComeBack: whatever a cell holds, JSON and CSV give it back whole.
func TestCellsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
		if rapid.Bool().Draw(t, "text") {
			s = rapid.String().Draw(t, "string")
		}
		v := connector.TextValue(s)
		if got := fromJSON(t, appendJSON(nil, v)); got != s {
			t.Fatalf("JSON: %q became %q", s, got)
		}
		line := append(appendCSV(nil, v), ",\"end\"\r\n"...)
		rec, err := csv.NewReader(bytes.NewReader(line)).Read()
		if err != nil || len(rec) != 2 {
			t.Fatalf("CSV of %q: %q, %v", s, rec, err)
		}
		// encoding/csv gives every line break as \n.
		want := strings.ReplaceAll(s, "\r\n", "\n")
		switch {
		case !utf8.ValidString(s):
			want = "base64:" + base64.StdEncoding.EncodeToString([]byte(s))
		case startsFormula(s):
			want = "'" + want
		}
		if rec[0] != want {
			t.Fatalf("CSV: %q became %q", s, rec[0])
		}
	})
}

func fromJSON(t *rapid.T, b []byte) string {
	var s string
	if json.Unmarshal(b, &s) == nil {
		return s
	}
	var wrapped struct{ Base64 []byte }
	if err := json.Unmarshal(b, &wrapped); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return string(wrapped.Base64)
}

func TestCSVCellsCannotStartFormulas(t *testing.T) {
	for _, s := range []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠x", " =1", "\u00a0=1", "\ufeff=cmd", "\u200b@x", "−1"} {
		got := string(appendCSV(nil, connector.TextValue(s)))
		if !strings.HasPrefix(got, `"'`) {
			t.Errorf("%q is written %s", s, got)
		}
	}
	for _, s := range []string{"", "a=1", "1-2", "ida@example.com", "'=x", `"=x`} {
		got := string(appendCSV(nil, connector.TextValue(s)))
		if strings.HasPrefix(got, `"'`) && !strings.HasPrefix(s, "'") {
			t.Errorf("%q is written %s", s, got)
		}
	}
	if got := string(appendCSV(nil, connector.IntValue(-5))); got != `"'-5"` {
		t.Errorf("a negative number is written %s", got)
	}
	if got := appendCSV(nil, connector.Value{}); len(got) != 0 {
		t.Errorf("NULL is written %s", got)
	}
}

func TestNamesAreSafeAndUnique(t *testing.T) {
	n := names{}
	for _, c := range []struct{ system, dataset, want string }{
		{"shop", "orders", "data/shop/orders"},
		{"shop", "Orders", "data/shop/orders-2"},
		{"shop", "public.orders", "data/shop/public.orders"},
		{"shop", "../../etc/passwd", "data/shop/_._.._etc_passwd"},
		{"shop", "CON", "data/shop/_con"},
		{"shop", "com1.x", "data/shop/_com1.x"},
		{"shop", "compass", "data/shop/compass"},
		{"shop", "trailing. ", "data/shop/trailing._"},
		{"shop", "...", "data/shop/_"},
		{"Ø\\:*?", `a"b<c>|`, "data/_____/a_b_c__"},
		{"shop", strings.Repeat("x", 300), "data/shop/" + strings.Repeat("x", 60)},
		{"shop", strings.Repeat("x", 301), "data/shop/" + strings.Repeat("x", 60) + "-2"},
	} {
		if got := n.file(c.system, c.dataset); got != c.want && c.want != "" {
			t.Errorf("%q %q: got %q, want %q", c.system, c.dataset, got, c.want)
		}
	}
}
