package db

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// together inserts rows and then runs a statement, unless it is "", in one round trip, and gives what the server said to the last
// of these, and whether all before that statement was done. It does all or nothing: outside a transaction, what is sent before
// one sync is one. It calls sent, if that is not nil, before it waits.
func (c *pgConn) together(ctx context.Context, tables []rowsOf, last string, sent func()) (inserted bool, tag string, err error) {
	b, rows := c.out[:0], 0
	for i := range tables {
		var n int
		if b, n, err = c.appendRows(ctx, b, &tables[i]); err != nil {
			return false, "", err
		}
		rows += n
	}
	if last != "" {
		b = appendRun(encoded(b, &pgproto3.Parse{Query: last}), &pgproto3.Bind{})
	}
	b = encoded(b, &pgproto3.Sync{})
	if c.out = b; cap(b) > keepOut {
		c.out = nil
	}
	if _, err := c.c.PgConn().Conn().Write(b); err == nil && sent != nil { // where that fails there is no answer
		sent()
	}
	for done := 0; ; {
		m, received := c.c.PgConn().ReceiveMessage(ctx)
		if received != nil {
			return done >= rows, tag, received
		}
		switch m := m.(type) {
		case *pgproto3.CommandComplete:
			done, tag = done+1, string(m.CommandTag)
		case *pgproto3.ErrorResponse:
			err = pgconn.ErrorResponseToPgError(m)
		case *pgproto3.ReadyForQuery:
			return done >= rows, tag, err
		}
	}
}

// keepOut is how much memory a connection keeps for what it sends.
const keepOut = 4 << 20

// appendRows appends what inserts rows, and gives the number of statements that takes.
func (c *pgConn) appendRows(ctx context.Context, b []byte, in *rowsOf) (_ []byte, statements int, err error) {
	text := cmp.Or(in.table.copies, in.table.one)
	name, known := c.names[text]
	if !known {
		name = fmt.Sprintf("rows_%d", len(c.names))
		if _, err := c.c.PgConn().Prepare(ctx, name, text, nil); err != nil {
			return nil, 0, err
		}
		c.names[text] = name
	}
	if in.table.copies != "" {
		return in.appendCopy(appendRun(b, &pgproto3.Bind{PreparedStatement: name})), 1, nil
	}
	for row := range slices.Chunk(in.cells, len(in.table.columns)) {
		bind := &pgproto3.Bind{PreparedStatement: name, ParameterFormatCodes: []int16{pgx.BinaryFormatCode}}
		for i, cell := range row {
			var value []byte // nil is NULL
			if cell.Kind != Null {
				value = appendCell(nil, in.table.columns[i].Type, cell)[len(null):]
			}
			bind.Parameters = append(bind.Parameters, value)
		}
		b, statements = appendRun(b, bind), statements+1
	}
	return b, statements, nil
}

func appendRun(b []byte, bind *pgproto3.Bind) []byte {
	return encoded(encoded(b, bind), &pgproto3.Execute{})
}

// encoded appends a message that has no room for what cannot be encoded.
func encoded(b []byte, m pgproto3.FrontendMessage) []byte {
	b, err := m.Encode(b)
	if err != nil {
		panic("db: a message of the protocol cannot be encoded: " + err.Error())
	}
	return b
}

const (
	copyHeader = "PGCOPY\n\xff\r\n\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00" // signature, flags, length of what follows
	null       = "\xff\xff\xff\xff"
)

// appendCopy appends rows as COPY takes them in its binary form.
func (in *rowsOf) appendCopy(b []byte) []byte {
	begun, columns := len(b), in.table.columns
	b = append(append(b, 'd', 0, 0, 0, 0), copyHeader...)
	for i, cell := range in.cells {
		at := i % len(columns)
		if at == 0 {
			b = binary.BigEndian.AppendUint16(b, uint16(len(columns)))
		}
		b = appendCell(b, columns[at].Type, cell)
	}
	b = append(b, 0xff, 0xff)
	binary.BigEndian.PutUint32(b[begun+1:], uint32(len(b)-begun-1))
	return encoded(b, &pgproto3.CopyDone{})
}

// appendCell appends a cell behind its length, -1 for NULL.
func appendCell(b []byte, kind string, cell Cell) []byte {
	switch {
	case cell.Kind == Null:
		return append(b, null...)
	case cell.Kind != Int:
		return append(binary.BigEndian.AppendUint32(b, uint32(len(cell.Bytes))), cell.Bytes...)
	case kind == "boolean":
		return append(b, 0, 0, 0, 1, byte(cell.Int))
	}
	return binary.BigEndian.AppendUint64(append(b, 0, 0, 0, 8), uint64(cell.Int))
}
