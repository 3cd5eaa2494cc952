package postgres

import "github.com/ombudhq/ombud/connector"

// SelectSQL lets tests ask the server how it plans what Select sends.
func SelectSQL(q connector.Select) (string, [][]byte) {
	p, err := prepare(q)
	if err != nil {
		panic(err)
	}
	st := p.rows()[0]
	return st.sql, st.args
}
