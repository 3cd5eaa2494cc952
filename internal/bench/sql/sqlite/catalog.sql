-- What the catalog says about every table: texts, kinds, columns, keys, indexes.
SELECT type, name, tbl_name, sql FROM sqlite_schema;
SELECT name, type, wr FROM pragma_table_list WHERE schema = 'main';
SELECT m.name, x.name, x.type, x."notnull", x.dflt_value, x.pk, x.hidden
	FROM pragma_table_list AS m JOIN pragma_table_xinfo(m.name) AS x WHERE m.schema = 'main' AND m.type IN ('table', 'shadow');
SELECT m.name, x.id, x."table", x."from", x."to", x.on_delete, x.on_update
	FROM pragma_table_list AS m JOIN pragma_foreign_key_list(m.name) AS x WHERE m.schema = 'main' AND m.type = 'table';
SELECT m.name, l.name, l."unique", l.origin, l.partial, x.name, x.coll, x."desc"
	FROM pragma_table_list AS m JOIN pragma_index_list(m.name) AS l JOIN pragma_index_xinfo(l.name) AS x WHERE m.schema = 'main' AND m.type = 'table' AND x.key = 1;
