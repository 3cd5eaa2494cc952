-- Everything about one person in one statement, as JSON. ?1 is the folded address.
WITH me AS MATERIALIZED (SELECT * FROM users WHERE :folded = ?1),
	mine AS MATERIALIZED (SELECT o.* FROM me CROSS JOIN orders AS o ON o.user_id = me.id),
	asked AS MATERIALIZED (SELECT t.* FROM me CROSS JOIN tickets AS t ON t.user_id = me.id)
SELECT json_object(
	'users', json((SELECT json_group_array(json_object('id', id, 'email', email, 'name', name, 'phone', phone, 'created_at', created_at)) FROM me)),
	'addresses', json((SELECT json_group_array(json_object('id', id, 'user_id', user_id, 'street', street, 'city', city, 'postcode', postcode, 'country', country))
		FROM addresses WHERE user_id = (SELECT id FROM me))),
	'orders', json((SELECT json_group_array(json_object('id', id, 'user_id', user_id, 'address_id', address_id, 'placed_at', placed_at, 'status', status, 'total', total)) FROM mine)),
	'order_items', json((SELECT json_group_array(json_object('id', id, 'order_id', order_id, 'sku', sku, 'title', title, 'quantity', quantity, 'price', price))
		FROM order_items WHERE order_id IN (SELECT id FROM mine))),
	'payments', json((SELECT json_group_array(json_object('id', id, 'order_id', order_id, 'method', method, 'amount', amount, 'reference', reference, 'paid_at', paid_at))
		FROM payments WHERE order_id IN (SELECT id FROM mine))),
	'sessions', json((SELECT json_group_array(json_object('id', id, 'user_id', user_id, 'token', token, 'agent', agent, 'ip', ip, 'started_at', started_at))
		FROM sessions WHERE user_id = (SELECT id FROM me))),
	'tickets', json((SELECT json_group_array(json_object('id', id, 'user_id', user_id, 'subject', subject, 'opened_at', opened_at)) FROM asked)),
	'ticket_messages', json((SELECT json_group_array(json_object('id', id, 'ticket_id', ticket_id, 'staff', staff, 'body', body, 'sent_at', sent_at))
		FROM ticket_messages WHERE ticket_id IN (SELECT id FROM asked))))
