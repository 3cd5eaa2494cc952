package sqlite

import (
	"database/sql/driver"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	engine "modernc.org/sqlite"

	"github.com/ombudhq/ombud/connector"
)

// decode gives a cell the kind of its own storage class.
func decode(cell any) connector.Value {
	switch c := cell.(type) {
	case int64:
		return connector.IntValue(c)
	case float64:
		return connector.Value{Kind: connector.Float, S: formatFloat(c)}
	case string:
		return connector.TextValue(c)
	case []byte:
		return connector.BytesValue(c)
	}
	return connector.Value{}
}

// encode binds a value in its storage class.
func encode(v connector.Value) any {
	switch v.Kind {
	case connector.Null:
		return nil
	case connector.Int:
		if n, err := strconv.ParseInt(v.S, 10, 64); err == nil {
			return n
		}
	case connector.Float:
		if f, err := strconv.ParseFloat(v.S, 64); err == nil {
			return f
		}
	case connector.Bool:
		if v.S == "true" {
			return int64(1)
		}
		return int64(0)
	case connector.Bytes:
		return []byte(v.S)
	}
	return v.S
}

func formatFloat(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

// whole reads an integer cell, 0 when it is none.
func whole(v connector.Value) int64 {
	n, _ := strconv.ParseInt(v.S, 10, 64)
	return n
}

// Functions of ours in SQL.
const (
	foldFunction = "ombud_fold" // connector.Fold of a text or number, NULL of a blob; see foldOf
	keyFunction  = "ombud_key"  // the value that sealKey wrote
)

// newDriver makes a driver whose connections know our functions.
func newDriver() (*engine.Driver, error) {
	drv := &engine.Driver{}
	err := drv.RegisterDeterministicScalarFunction(foldFunction, 2, func(_ *engine.FunctionContext, args []driver.Value) (driver.Value, error) {
		v, whole := decode(args[0]), decode(args[1])
		switch {
		case v.IsNull() || v.Kind == connector.Bytes:
			return nil, nil
		case whole.IsNull():
			return connector.Fold(v.S), nil
		}
		raw, err := hex.DecodeString(whole.S)
		return connector.Fold(string(raw)), err
	})
	if err != nil {
		return nil, err
	}
	err = drv.RegisterDeterministicScalarFunction(keyFunction, 1, func(_ *engine.FunctionContext, args []driver.Value) (driver.Value, error) {
		return openKey(decode(args[0]).S)
	})
	return drv, err
}

// foldOf folds an expression. The driver hands functions texts up to their first NUL, so one that
// has a NUL comes a second time, in hex.
func foldOf(expr string) string {
	return foldFunction + "(" + expr + ", CASE WHEN instr(" + expr + ", char(0)) THEN hex(" + expr + ") END)"
}

// ordinary reports whether JSON carries a value exactly: small integers and clean text.
func ordinary(v connector.Value) bool {
	switch v.Kind {
	case connector.Int:
		return len(v.S) < 18
	case connector.Text:
		return utf8.ValidString(v.S) && !strings.ContainsRune(v.S, 0)
	}
	return false
}

// jsonKey writes an ordinary value.
func jsonKey(v connector.Value) any {
	if v.Kind == connector.Int {
		return json.Number(v.S)
	}
	return v.S
}

// sealKey writes any value so that keyFunction gives it back bit by bit.
func sealKey(v connector.Value) any {
	switch c := encode(v).(type) {
	case int64:
		return "i" + strconv.FormatInt(c, 10)
	case float64:
		return "f" + strconv.FormatUint(math.Float64bits(c), 16)
	case []byte:
		return "b" + hex.EncodeToString(c)
	case string:
		return "t" + hex.EncodeToString([]byte(c))
	}
	return ""
}

func openKey(s string) (driver.Value, error) {
	if s == "" {
		return nil, nil
	}
	switch s[0] {
	case 'i':
		return strconv.ParseInt(s[1:], 10, 64)
	case 'f':
		bits, err := strconv.ParseUint(s[1:], 16, 64)
		return math.Float64frombits(bits), err
	}
	raw, err := hex.DecodeString(s[1:])
	if err != nil {
		return nil, errors.New("a key is damaged")
	}
	if s[0] == 't' {
		return string(raw), nil
	}
	return raw, nil
}
