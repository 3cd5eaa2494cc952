package pii

import (
	"fmt"
	"strings"
	"testing"
)

// TestHoldsCard: valid numbers of each brand are found however they are written; what only looks like one is not.
func TestHoldsCard(t *testing.T) {
	for _, card := range []string{
		"4111111111111111", "4222222222222", "5555555555554444", "2223003122003222", "378282246310005", "30569309025904", "3530111333300000", "6011111111111117", "6200000000000005", "4917610000000000003",
	} {
		var four []string
		for i := 0; i < len(card); i += 4 {
			four = append(four, card[i:min(i+4, len(card))])
		}
		for _, text := range []string{card, "my card is " + card + ".", strings.Join(four, " "), strings.Join(four, "-"), "(" + strings.Join(four, ".") + ")", strings.Join(four, "\u00a0"), strings.Join(four, "/"), `{"x":"` + card + `"}`, "visa" + card, "PAN" + strings.Join(four, " "), card + "xyz", "nr" + card + "exp", "12:30 " + card, "a@b.example " + card} {
			if !HoldsCard(text) {
				t.Errorf("%q is not found", text)
			}
			if masked := MaskCards(text); HoldsCard(masked) || !strings.Contains(masked, card[len(card)-4:]) || strings.Contains(masked, card[:6]) {
				t.Errorf("%q is masked as %q", text, masked)
			}
		}
	}
	for _, text := range []string{
		"", "4111111111111112", "+4915112345672", "con_4111111111111111", "x4111111111111111", "41111111111111110", "1099511627776", "2026-11-21 10:15", "0000000000000000", "DE89370400440532013000",
		"4111111111111111a", "beef4111111111111111", "4111111111111111cafe", "a1visa4111111111111111", "/tmp/TestLeft4208818003/001/shop.db", "FI4135583050232722", "FI41 3558 3050 2327 22", "fi4592948102227432",
	} {
		if HoldsCard(text) {
			t.Errorf("%q is no card", text)
		}
		if got := MaskCards(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
	if got := MaskCards("a 4111111111111111 b 5555-5555-5555-4444 c"); got != "a ••••••••••••1111 b ••••••••••••4444 c" {
		t.Error(got)
	}
}

func BenchmarkHoldsCard(b *testing.B) {
	text := strings.Repeat(`{"subject":{"email":"ida@example.com"},"purpose":"newsletter","method":"web_form"} `, 4) + fmt.Sprint(1<<50)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		HoldsCard(text)
	}
}
