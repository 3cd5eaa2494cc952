package connector

import (
	"strconv"
	"strings"
)

// Kind of a value: what it is, whatever the engine calls it.
type Kind uint8

const (
	Null    Kind = iota
	Text         // characters; S is the text itself
	Int          // S is decimal digits, canonical ("-12")
	Decimal      // exact numeric; S as the engine writes it
	Float        // S as strconv 'g' -1
	Bool         // S is "true" or "false"
	Bytes        // S holds the raw bytes
	Time         // date, time, timestamp, interval: S as the engine writes it in ISO style
	JSON         // S is the document as stored
	Array        // S is the engine's literal ("{a,b}")
	UUID         // S in canonical lower case
	Other        // anything else in the engine's own text form (inet, xml, geometry …)
)

// Value is one cell. It is comparable, so it can be a map key; two engines' equal values of the
// same kind are equal. The zero Value is NULL.
type Value struct {
	Kind Kind
	S    string
}

// IsNull reports SQL NULL.
func (v Value) IsNull() bool { return v.Kind == Null }

// String is the text form, "" for NULL. It is for keys and encoding; never print values in logs.
func (v Value) String() string { return v.S }

// TextValue makes a value of text.
func TextValue(s string) Value { return Value{Text, s} }

// IntValue makes a whole number.
func IntValue(n int64) Value { return Value{Int, strconv.FormatInt(n, 10)} }

// BytesValue makes a value of raw bytes.
func BytesValue(b []byte) Value { return Value{Bytes, string(b)} }

// Key is the values of a row's address or of a foreign key, in column order.
type Key []Value

// HasNull reports whether any part is NULL: under MATCH SIMPLE such a key references nothing.
func (k Key) HasNull() bool {
	for _, v := range k {
		if v.IsNull() {
			return true
		}
	}
	return false
}

// Encode gives a string that is equal exactly when the keys are: kind class, length, bytes. Ints,
// decimals without fraction and texts of digits keep apart; convert keys to the target column first.
func (k Key) Encode() string {
	if len(k) == 1 {
		return string('0'+byte(k[0].Kind)) + k[0].S
	}
	var b strings.Builder
	for _, v := range k {
		b.WriteByte('0' + byte(v.Kind))
		b.WriteString(strconv.Itoa(len(v.S)))
		b.WriteByte(':')
		b.WriteString(v.S)
	}
	return b.String()
}
