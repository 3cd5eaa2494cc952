package postgres

// The catalog is read from pg_catalog alone: every role sees all of it, the information_schema
// hides what a role may not use, and a cascade goes there all the same.

// visible limits classes to those of users; other sessions' temporary tables are nobody's.
const visible = ` c.relkind IN ('r','p','v','m','f') AND c.relpersistence <> 't'
	AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') `

const serverQuery = `SELECT current_setting('server_version')`

// commentsQuery asks for comments on their own: few tables and columns have one, and a join would visit all.
const commentsQuery = `SELECT objoid, objsubid, description FROM pg_description WHERE classoid = 'pg_class'::regclass AND objoid >= 16384`

// tablesQuery also asks for rights: of the table, or of all its columns one by one.
const tablesQuery = `SELECT c.oid, n.nspname, c.relname, c.relkind, c.relispartition,
	(SELECT min(p.inhparent) FROM pg_inherits p WHERE p.inhrelid = c.oid),
	c.reltuples::bigint, c.relpages::bigint * current_setting('block_size')::bigint,
	u.usable AND (has_table_privilege(c.oid, 'SELECT') OR has_any_column_privilege(c.oid, 'SELECT') AND NOT EXISTS (
		SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND NOT has_column_privilege(c.oid, a.attnum, 'SELECT'))),
	u.usable AND has_table_privilege(c.oid, 'INSERT'),
	u.usable AND (has_table_privilege(c.oid, 'UPDATE') OR has_any_column_privilege(c.oid, 'UPDATE') AND NOT EXISTS (
		SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND NOT has_column_privilege(c.oid, a.attnum, 'UPDATE'))),
	u.usable AND has_table_privilege(c.oid, 'DELETE'),
	row_security_active(c.oid), c.relnatts
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND` + visible + `
CROSS JOIN LATERAL (SELECT has_schema_privilege(n.oid, 'USAGE') AS usable) u
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`

const columnsQuery = `SELECT x.attrelid, x.attnum, x.attname, format_type(x.atttypid, x.atttypmod), x.atttypid, x.attnotnull,
	x.attgenerated, x.attidentity, pg_get_expr(d.adbin, d.adrelid), l.collname, NOT l.collisdeterministic
FROM pg_attribute x JOIN pg_class c ON c.oid = x.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace AND` + visible + `
LEFT JOIN pg_attrdef d ON d.adrelid = x.attrelid AND d.adnum = x.attnum
LEFT JOIN pg_collation l ON l.oid = x.attcollation
WHERE x.attnum > 0 AND NOT x.attisdropped ORDER BY x.attrelid, x.attnum`

const domainsQuery = `SELECT oid, typbasetype, format_type(typbasetype, typtypmod), typnotnull FROM pg_type WHERE typtype = 'd' AND oid >= 16384`

const domainChecksQuery = `SELECT contypid, conname, pg_get_expr(conbin, 0) FROM pg_constraint
WHERE contypid <> 0 AND contype = 'c' AND oid >= 16384 ORDER BY contypid, conname`

const enumsQuery = `SELECT enumtypid, enumlabel FROM pg_enum ORDER BY enumtypid, enumsortorder`

// constraintsQuery leaves out what PostgreSQL adds for itself: the copies of a key that refers to a
// partitioned table, one per leaf.
const constraintsQuery = `SELECT x.conname, x.contype, x.conrelid, x.conkey, x.confrelid, x.confkey, x.confdeltype, x.confupdtype,
	x.confmatchtype, x.condeferrable, x.condeferred, x.convalidated, CASE x.contype WHEN 'c' THEN pg_get_expr(x.conbin, x.conrelid) END
FROM pg_constraint x JOIN pg_class c ON c.oid = x.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace AND` + visible + `
WHERE x.contype IN ('p', 'f', 'c')
	AND (x.conparentid = 0 OR x.conrelid IS DISTINCT FROM (SELECT p.conrelid FROM pg_constraint p WHERE p.oid = x.conparentid)) ORDER BY x.conrelid, x.conname`

// indexesQuery gives an expression as text instead of a column. Only methods that answer equality
// in order of their columns count as leading with them.
const indexesQuery = `SELECT x.indrelid, i.relname, x.indisunique, x.indisprimary, x.indisvalid AND x.indisready, x.indpred IS NOT NULL,
	(x.indkey::int2[])[0:x.indnkeyatts - 1],
	CASE WHEN x.indexprs IS NOT NULL THEN (SELECT string_agg(pg_get_indexdef(x.indexrelid, k, true), E'\x1f' ORDER BY k) FROM generate_series(1, x.indnkeyatts) k) END,
	m.amname IN ('btree', 'hash')
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_am m ON m.oid = i.relam
JOIN pg_class c ON c.oid = x.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace AND` + visible + `
WHERE x.indislive ORDER BY x.indrelid, i.relname`

const triggersQuery = `SELECT x.tgrelid, x.tgname, x.tgtype, x.tgenabled, p.prosrc, l.lanname, x.tgisinternal
FROM pg_trigger x JOIN pg_proc p ON p.oid = x.tgfoid JOIN pg_language l ON l.oid = p.prolang
JOIN pg_class c ON c.oid = x.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace AND` + visible + `
WHERE NOT x.tgisinternal OR x.tgenabled = 'D' ORDER BY x.tgrelid, x.tgname`

// notesQuery lists what a plan must show of a table beside all that.
const notesQuery = `SELECT 'rule', c.oid, x.rulename FROM pg_rewrite x JOIN pg_class c ON c.oid = x.ev_class
JOIN pg_namespace n ON n.oid = c.relnamespace AND` + visible + ` WHERE x.rulename <> '_RETURN'
UNION ALL SELECT 'publication', x.prrelid, p.pubname FROM pg_publication_rel x JOIN pg_publication p ON p.oid = x.prpubid
UNION ALL SELECT 'publication', 0, p.pubname FROM pg_publication p WHERE p.puballtables
ORDER BY 1, 2, 3`

// moment names what a statement sees: which transactions had ended, since which start of the server.
const moment = `concat_ws('/', txid_current_snapshot(), pg_postmaster_start_time())`

const snapshotQuery = `SELECT ` + moment

// fingerprintQuery hashes what Schema reads, by row versions where only a change of the schema makes
// a new one and by content where maintenance does too. Sums do not depend on the order of rows. What
// PostgreSQL brought itself has an oid below 16384 and cannot change: leaving it out saves most of the time.
const fingerprintQuery = `WITH classes AS MATERIALIZED (
	SELECT c.* FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE c.oid >= 16384 AND c.relkind IN ('r','p','v','m','f') AND c.relpersistence <> 't' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast'))
SELECT ` + moment + `, concat_ws('-', current_setting('server_version_num'),
	(SELECT hashtextextended(concat_ws('/', r.oid, r.rolsuper, r.rolbypassrls), 0) FROM pg_roles r WHERE r.rolname = current_user),
	(SELECT sum(hashtextextended(concat_ws('/', roleid, member), 0)) FROM pg_auth_members),
	(SELECT sum(hashtextextended(concat_ws('/', oid, nspname, nspowner, nspacl), 0)) FROM pg_namespace WHERE oid >= 16384 OR nspname = 'public'),
	(SELECT sum(hashtextextended(concat_ws('/', oid, relname, relnamespace, relkind, relowner, relrowsecurity, relforcerowsecurity, relispartition, relacl), 0)) FROM classes),
	(SELECT sum(hashint8extended((x.attrelid::bigint << 16) | x.attnum, x.xmin::text::bigint)) FROM pg_attribute x JOIN classes c ON c.oid = x.attrelid WHERE x.attrelid >= 16384 AND x.attnum > 0),
	(SELECT sum(hashint8extended(x.oid::bigint, x.xmin::text::bigint)) FROM pg_attrdef x JOIN classes c ON c.oid = x.adrelid WHERE x.oid >= 16384),
	(SELECT sum(hashint8extended(x.oid::bigint, x.xmin::text::bigint)) FROM pg_constraint x WHERE x.oid >= 16384),
	(SELECT sum(hashint8extended(x.indexrelid::bigint, (x.indisvalid::int * 2 + x.indisready::int)::bigint)) FROM pg_index x JOIN classes c ON c.oid = x.indrelid WHERE x.indexrelid >= 16384),
	(SELECT sum(hashint8extended(x.oid::bigint, x.xmin::text::bigint)) FROM pg_trigger x JOIN classes c ON c.oid = x.tgrelid WHERE x.oid >= 16384 AND (NOT x.tgisinternal OR x.tgenabled = 'D')),
	(SELECT sum(hashint8extended(x.oid::bigint, x.xmin::text::bigint)) FROM pg_proc x WHERE x.oid >= 16384),
	(SELECT sum(hashint8extended(x.oid::bigint, x.xmin::text::bigint)) FROM pg_policy x),
	(SELECT sum(hashint8extended((x.inhrelid::bigint << 32) | x.inhparent::bigint, 0)) FROM pg_inherits x),
	(SELECT sum(hashint8extended(x.oid::bigint, x.xmin::text::bigint)) FROM pg_rewrite x WHERE x.oid >= 16384),
	(SELECT sum(hashint8extended(x.oid::bigint, x.xmin::text::bigint)) FROM pg_type x WHERE x.oid >= 16384 AND x.typtype IN ('d', 'e')),
	(SELECT sum(hashint8extended(x.oid::bigint, x.xmin::text::bigint)) FROM pg_enum x WHERE x.oid >= 16384),
	(SELECT sum(hashint8extended(x.oid::bigint, x.xmin::text::bigint)) FROM pg_publication_rel x),
	(SELECT sum(hashint8extended(x.oid::bigint, x.xmin::text::bigint)) FROM pg_publication x))`
