package connector

import (
	"encoding/json"
	"strings"
)

// A cell may list keys: an array of PostgreSQL, or one of JSON, whatever the type of its column.

// Elements are those of a list as they stand in the cell, and what each says, which is what ListKey makes of a key: of a
// PostgreSQL array of one dimension, or of one of JSON with plain elements. false for anything else.
func Elements(v Value) (raw, said []string, ok bool) {
	s := strings.TrimSpace(v.S)
	if isArray(v) {
		return arrayEntries(s)
	}
	var parts []json.RawMessage
	if json.Unmarshal([]byte(s), &parts) != nil {
		return nil, nil, false
	}
	for _, e := range parts {
		text := string(e)
		switch text[0] {
		case '{', '[':
			return nil, nil, false
		case 'n':
			text = NoKey
		case '"':
			if json.Unmarshal(e, &text) != nil {
				return nil, nil, false
			}
		}
		raw, said = append(raw, string(e)), append(said, ListKey(text))
	}
	return raw, said, true
}

// isArray tells an array as PostgreSQL writes it, which another engine may hold as text, from one of JSON.
func isArray(v Value) bool {
	return v.Kind == Array || v.Kind == Text && strings.HasPrefix(strings.TrimSpace(v.S), "{")
}

// NoKey is what an element that is NULL says.
const NoKey = "\x00"

// arrayEntries cuts {1,"two",NULL}.
func arrayEntries(s string) (raw, said []string, ok bool) {
	if len(s) < 2 || s[0] != '{' || s[len(s)-1] != '}' {
		return nil, nil, false // of other bounds, or none
	}
	in := s[1 : len(s)-1]
	if strings.TrimSpace(in) == "" {
		return nil, nil, true
	}
	var text strings.Builder
	from, quoted := 0, false
	for i := 0; i < len(in); i++ {
		switch b := in[i]; {
		case b == ',' && !quoted:
			raw, said = append(raw, in[from:i]), append(said, arrayKey(in[from:i], text.String()))
			text.Reset()
			from = i + 1
		case b == '"':
			quoted = !quoted
		case b == '{' && !quoted:
			return nil, nil, false
		case b == '\\' && i+1 < len(in):
			i++
			text.WriteByte(in[i])
		default:
			text.WriteByte(b)
		}
	}
	return append(raw, in[from:]), append(said, arrayKey(in[from:], text.String())), !quoted
}

// arrayKey is what an element says: one in quotes just that.
func arrayKey(raw, text string) string {
	switch {
	case strings.Contains(raw, `"`):
		return ListKey(text)
	case strings.EqualFold(strings.TrimSpace(raw), "null"):
		return NoKey
	}
	return ListKey(strings.TrimSpace(text))
}

// ListKey is a key in the form in which lists are compared: engines write a UUID in either case.
func ListKey(s string) string {
	if isUUID(s) {
		return strings.ToLower(s)
	}
	return s
}

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		if hyphen := i == 8 || i == 13 || i == 18 || i == 23; hyphen && s[i] != '-' || !hyphen && !strings.ContainsRune("0123456789abcdefABCDEF", rune(s[i])) {
			return false
		}
	}
	return true
}

// Without is the list with none of the keys; what is no list stays as it is.
func Without(v Value, keys map[string]bool) Value {
	raw, said, ok := Elements(v)
	if !ok {
		return v
	}
	var left []string
	for i := range raw {
		if !keys[said[i]] {
			left = append(left, raw[i])
		}
	}
	if len(left) == len(raw) {
		return v
	}
	if isArray(v) {
		return Value{Kind: v.Kind, S: "{" + strings.Join(left, ",") + "}"}
	}
	return Value{Kind: v.Kind, S: "[" + strings.Join(left, ", ") + "]"}
}
