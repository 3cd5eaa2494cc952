package pii

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func found(text string) []string {
	var out []string
	for _, s := range Find(text) {
		out = append(out, string(s.Kind)+" "+text[s.From:s.To])
	}
	return out
}

func TestFind(t *testing.T) {
	for text, want := range map[string][]string{
		"write to ida.nordmann+x@example.com.":             {"email ida.nordmann+x@example.com"},
		"<Ida@EXAMPLE.co.uk>, (per@ex-ample.no)":           {"email Ida@EXAMPLE.co.uk", "email per@ex-ample.no"},
		"o'brien@example.ie \"a b\"@example.com":           {"email o'brien@example.ie", "email \"a b\"@example.com"},
		`{"from": "@ida.nordmann", "to": "@bo.dahl"}`:      nil,
		"åse@blåbær.no, user@xn--blbr-roah.no":             {"email åse@blåbær.no", "email user@xn--blbr-roah.no"},
		"47123456@example.com and 123-45-6789@example.com": {"email 47123456@example.com", "email 123-45-6789@example.com"},
		"a@b @ c@ @d.e x@y.z a@b..com a@-b.com":            nil,
		"call +47 912 34 567 now":                          {"phone +47 912 34 567"},
		"(+49) 30 1234567, 0049 30 1234567":                {"phone (+49) 30 1234567", "phone 0049 30 1234567"},
		"tel (212) 555-0123 or 415-555-2671":               {"phone (212) 555-0123", "phone 415-555-2671"},
		"06 12 34 56 78; 91 23 45 67; 030 1234567":         {"phone 06 12 34 56 78", "phone 91 23 45 67", "phone 030 1234567"},
		"612 345 678": {"phone 612 345 678"},
		"from 192.168.0.17, not 1.2.3 or 256.1.1.1 or 1.2.3.4.5": {"ip 192.168.0.17"},
		"2001:db8:0:0:0:ff00:42:8329 fe80::1:2:3":                {"ip 2001:db8:0:0:0:ff00:42:8329", "ip fe80::1:2:3"},
		"std::string at 12:30:45, a::b":                          nil,
		"NO93 8601 1117 947 and DE89370400440532013000":          {"iban NO93 8601 1117 947", "iban DE89370400440532013000"},
		"GB82 WEST 1234 5698 7654 32.":                           {"iban GB82 WEST 1234 5698 7654 32"},
		"NO93 8601 1117 948":                                     nil,
		"4111 1111 1111 1111, 378282246310005":                   {"card 4111 1111 1111 1111", "card 378282246310005"},
		"4111 1111 1111 1112 0000 0000 0000 0000":                nil,
		"ssn 078-05-1120, 000-12-3456":                           {"national_id 078-05-1120"},
		"fnr 01010750160 dni 12345678Z":                          {"national_id 01010750160", "national_id 12345678Z"},
		"2024-01-02 10:11:12, 01.02.2024 10:00, 12/31/2023":      nil,
		"order 100234, 12 345 678 kr, v1.2.3.4, 1,000,000":       nil,
		"550e8400-e29b-41d4-a716-446655440000":                   nil,
		"3.14159265358979 0.5 -12 +1 (2)":                        nil,
		"":                                                       nil,
		"\xff\xfe@\xff.com":                                      nil,
	} {
		if diff := cmp.Diff(want, found(text)); diff != "" {
			t.Errorf("%q:\n%s", text, diff)
		}
	}
}

// TestUUIDHoldsNothing: of a hundred random ones, about one makes an IBAN or a phone number.
func TestUUIDHoldsNothing(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		a, b := random.Uint64(), random.Uint64()
		id := fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", a>>32, a>>16&0xffff, a&0xffff, b>>48, b&0xffffffffffff)
		for _, text := range []string{id, strings.ToUpper(id), "{" + id + "}", `["` + id + `"]`} {
			if got := found(text); got != nil {
				t.Fatalf("%s: %v", text, got)
			}
		}
		if got := found(id + "@example.com"); len(got) != 1 {
			t.Fatalf("%s@example.com: %v", id, got)
		}
	}
}

// TestFindIsLinear needs no clock: on texts of megabytes anything that grew faster would not end today.
func TestFindIsLinear(t *testing.T) {
	for _, unit := range []string{"@", "a@", "1", "1 ", "+1", "a:", "::", "1.", "NO1", "a@b.", "(1", "\"@", "é@é."} {
		text := strings.Repeat(unit, 1_000_000)
		for _, s := range Find(text) {
			if s.To > len(text) {
				t.Fatalf("%q: %+v", unit, s)
			}
		}
	}
}

func FuzzFind(f *testing.F) {
	for _, s := range []string{"ida@example.com", "+47 912 34 567", "NO93 8601 1117 947", "::1", "4111 1111 1111 1111", "\xff@\x00", "(((+1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at := 0
		for _, s := range Find(text) {
			if s.From < at || s.To <= s.From || s.To > len(text) {
				t.Fatalf("span %+v after %d of %d", s, at, len(text))
			}
			at = s.To
		}
		if got := Redact(text, Find(text), ""); len(got) > len(text) {
			t.Fatal("redacting made the text longer")
		}
	})
}

func BenchmarkFind(b *testing.B) {
	line := "2026-01-02T10:11:12Z INFO order 100234 by ida@example.com from 192.168.0.17 paid 4111 1111 1111 1111, call +4791234567 please\n"
	plainLine := strings.Repeat("the quick brown fox jumps over the lazy dog and nothing personal happens in this line of text at all\n", 9)
	text := strings.Repeat(line+plainLine, 100)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		Find(text)
	}
}

func TestMask(t *testing.T) {
	for _, c := range [][3]string{
		{"email", "ida@example.com", "i•••@example.com"}, {"email", "i@example.com", "•••@example.com"}, {"email", "åse@x.no", "å•••@x.no"},
		{"phone", "+4791234567", "•••67"}, {"phone", "112", "•••"}, {"customer", "C-1001", "C•••"}, {"customer", "7", "•••"}, {"login", "ida@x.no", "i•••@x.no"}, {"ip", "10.0.0.1", "•••"}, {"email", "", "•••"},
	} {
		if got := Mask(c[0], c[1]); got != c[2] {
			t.Errorf("%s %q: %q, want %q", c[0], c[1], got, c[2])
		}
	}
}

func TestIsRandom(t *testing.T) {
	for text, want := range map[string]bool{
		"01ARZ3NDEKTSV4RRFFQ69G5FAV": true, "507f1f77bcf86cd799439011": true, "cjld2cjxh0000qzrmn831i7rn": true, "9f86d081-884c-4d65-9a2f-eaa0c55ad015": true,
		"ida.nordmann@example.com": false, "idanordmann19881122oslo": false, "IdaNordmannOslo1988": false, "ida1988": false, "1234567890123456789": false, "C-1001": false,
		"nordmann-ida-2": false, "+4790000000": false, "31129956715": false, "NO9386011117947": false, "": false, "aa11bb22": false,
	} {
		if got := IsRandom(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
