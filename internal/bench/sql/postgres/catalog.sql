-- What the catalog says about every table of the schema: kinds and rights, columns, keys, indexes,
-- triggers, policies, inheritance.
SELECT c.oid, n.nspname, c.relname, c.relkind, c.relispartition, c.relrowsecurity, c.reltuples, pg_relation_size(c.oid), row_security_active(c.oid),
	has_table_privilege(c.oid, 'SELECT'), has_table_privilege(c.oid, 'INSERT'), has_table_privilege(c.oid, 'UPDATE'), has_table_privilege(c.oid, 'DELETE')
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm', 'f');
SELECT a.attrelid, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated, a.attidentity, pg_get_expr(d.adbin, d.adrelid), l.collname, l.collisdeterministic
	FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
	LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum LEFT JOIN pg_collation l ON l.oid = a.attcollation
	WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped;
SELECT x.conname, x.contype, x.conrelid, x.conkey, x.confrelid, x.confkey, x.confdeltype, x.confupdtype, x.confmatchtype, x.condeferrable, x.condeferred, x.convalidated
	FROM pg_constraint x JOIN pg_namespace n ON n.oid = x.connamespace WHERE n.nspname = 'public';
SELECT x.indrelid, i.relname, x.indisunique, x.indisprimary, x.indisvalid, x.indpred IS NOT NULL, x.indkey, pg_get_expr(x.indexprs, x.indrelid)
	FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_namespace n ON n.oid = i.relnamespace WHERE n.nspname = 'public';
SELECT t.tgrelid, t.tgname, t.tgtype, t.tgenabled, p.prosrc FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid WHERE NOT t.tgisinternal;
SELECT polrelid, polname, polcmd FROM pg_policy;
SELECT inhrelid, inhparent FROM pg_inherits;
SELECT ev_class, rulename FROM pg_rewrite WHERE rulename <> '_RETURN';
