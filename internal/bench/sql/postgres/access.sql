-- Everything about one person in one statement, as JSON. $1 is the folded address; :folded is the
-- expression that the index on users is made of.
WITH me AS MATERIALIZED (SELECT * FROM users WHERE :folded = $1),
	mine AS MATERIALIZED (SELECT o.* FROM orders o JOIN me ON o.user_id = me.id),
	asked AS MATERIALIZED (SELECT t.* FROM tickets t JOIN me ON t.user_id = me.id)
SELECT json_build_object(
	'users', (SELECT json_agg(me) FROM me),
	'addresses', (SELECT json_agg(a) FROM addresses a WHERE a.user_id = (SELECT id FROM me)),
	'orders', (SELECT json_agg(mine) FROM mine),
	'order_items', (SELECT json_agg(i) FROM order_items i WHERE i.order_id = ANY (ARRAY(SELECT id FROM mine))),
	'payments', (SELECT json_agg(p) FROM payments p WHERE p.order_id = ANY (ARRAY(SELECT id FROM mine))),
	'sessions', (SELECT json_agg(s) FROM sessions s WHERE s.user_id = (SELECT id FROM me)),
	'tickets', (SELECT json_agg(asked) FROM asked),
	'ticket_messages', (SELECT json_agg(m) FROM ticket_messages m WHERE m.ticket_id = ANY (ARRAY(SELECT id FROM asked))))
