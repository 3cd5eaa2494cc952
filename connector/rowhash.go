package connector

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io"
)

// RowHash is the content hash of a whole row, its cells in the order of the catalog's columns: hex
// SHA-256 over kind, length and bytes of each. It fences a row that has no key (Act.Expect): an
// address such as a rowid or ctid may have been given to another row, its content not.
func RowHash(row []Value) string {
	h := sha256.New()
	for _, v := range row {
		head := binary.BigEndian.AppendUint64([]byte{byte(v.Kind)}, uint64(len(v.S)))
		h.Write(head) // a hash never fails
		_, _ = io.WriteString(h, v.S)
	}
	return hex.EncodeToString(h.Sum(nil))
}
