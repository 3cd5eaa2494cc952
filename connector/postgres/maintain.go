package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/fault"
)

// dependents lists materialised views that show a table directly or through other views, nearest first.
const dependents = `WITH RECURSIVE reach(oid, depth) AS (
	SELECT c.oid, 0 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	JOIN unnest($1::text[], $2::text[]) AS w(s, t) ON n.nspname = w.s AND c.relname = w.t
	UNION
	SELECT r.ev_class, reach.depth + 1 FROM reach
	JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = reach.oid AND d.classid = 'pg_rewrite'::regclass
	JOIN pg_rewrite r ON r.oid = d.objid WHERE r.ev_class <> reach.oid AND reach.depth < 64)
SELECT n.nspname, c.relname, pg_has_role(c.relowner, 'USAGE'), max(reach.depth) AS depth,
	EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL)
FROM reach JOIN pg_class c ON c.oid = reach.oid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'm' AND c.relispopulated GROUP BY c.oid, n.nspname, c.relname, c.relowner ORDER BY depth, 1, 2`

type storedView struct {
	schema, name string
	mine, unique bool
}

// Maintain refreshes the materialised views over the tables, without blocking readers where the
// view allows it, and says which tables still hold dead rows. A view that this role may not refresh
// is an error that names it, after all others are done. See connector.Maintainer.
func (s *store) Maintain(ctx context.Context, touched []*connector.Table) (did []string, err error) {
	if len(touched) == 0 {
		return nil, ctx.Err()
	}
	var views []storedView
	if s.copies.Load() {
		if views, err = s.viewsOver(ctx, touched); err != nil {
			return nil, err
		}
	}
	var refused []string
	for _, v := range views {
		name := quote(v.schema) + "." + quote(v.name)
		if !v.mine {
			refused = append(refused, v.schema+"."+v.name)
			continue
		}
		concurrently := ""
		if v.unique {
			concurrently = "CONCURRENTLY "
		}
		if err := s.query(ctx, []statement{{sql: "REFRESH MATERIALIZED VIEW " + concurrently + name}}, nil); err != nil {
			return did, fmt.Errorf("refreshing materialised view %s.%s: %w", v.schema, v.name, err)
		}
		did = append(did, "refreshed materialised view "+v.schema+"."+v.name)
	}
	did = append(did, deadRows(touched))
	if len(refused) > 0 {
		return did, fault.New(fault.Denied, "system %s: materialised view %s still shows the rows as they were; this role may not refresh it",
			s.system, strings.Join(refused, ", ")).Then("Let the owner of the view run REFRESH MATERIALIZED VIEW.")
	}
	return did, nil
}

func deadRows(touched []*connector.Table) string {
	tables := make([]string, len(touched))
	for i, t := range touched {
		tables[i] = qualified(t)
	}
	slices.Sort(tables)
	return "dead rows stay in their pages until VACUUM: run VACUUM " + strings.Join(tables, ", ")
}

func (s *store) viewsOver(ctx context.Context, touched []*connector.Table) (views []storedView, err error) {
	names := make([]connector.Key, len(touched))
	for i, t := range touched {
		names[i] = connector.Key{connector.TextValue(t.Schema), connector.TextValue(t.Name)}
	}
	err = s.query(ctx, []statement{{sql: dependents, args: [][]byte{array(names, 0), array(names, 1)}}}, func(_ int, row [][]byte) error {
		c := cells(row)
		views = append(views, storedView{schema: c.text(0), name: c.text(1), mine: c.is(2), unique: c.is(4)})
		return nil
	})
	return views, err
}
