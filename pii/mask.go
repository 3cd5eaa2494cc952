package pii

import (
	"strings"
	"unicode/utf8"
)

const dots = "•••"

// MaskEmail shows an address so that its owner knows it and nobody else learns it: "i•••@example.com".
func MaskEmail(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return maskWord(address)
	}
	return maskWord(address[:at]) + address[at:]
}

// maskWord shows the first letter of a word that has others.
func maskWord(s string) string {
	if utf8.RuneCountInString(s) < 2 {
		return dots
	}
	_, size := utf8.DecodeRuneInString(s)
	return s[:size] + dots
}

// Mask shows a value of an identity kind in the same spirit: the last two digits of numbers, the
// first letter of anything else.
func Mask(kind, value string) string {
	value = strings.TrimSpace(value)
	switch Kind(kind) {
	case Email:
		return MaskEmail(value)
	case Phone, Card, IBAN, National:
		if len(value) > 6 {
			return dots + lastRunes(value, 2)
		}
		return dots
	case IP, Birth, Token, Secret:
		return dots
	}
	if strings.Contains(value, "@") {
		return MaskEmail(value)
	}
	return maskWord(value)
}

func lastRunes(s string, n int) string {
	for range n {
		_, size := utf8.DecodeLastRuneInString(s)
		if size == 0 {
			break
		}
		n += size - 1
	}
	return s[max(0, len(s)-n):]
}

// Redact replaces the spans of a text by the mark.
func Redact(text string, spans []Span, mark string) string {
	var b strings.Builder
	at := 0
	for _, s := range spans {
		b.WriteString(text[at:s.From])
		b.WriteString(mark)
		at = s.To
	}
	b.WriteString(text[at:])
	return b.String()
}
