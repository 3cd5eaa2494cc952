-- One person, in one transaction. ?1 is the folded address. Somebody else may have had an order sent to
-- this person's address: that order stays, and lets the address go.
UPDATE orders SET address_id = NULL
	WHERE address_id IN (SELECT id FROM addresses WHERE user_id = (SELECT id FROM users WHERE :folded = ?1))
	AND user_id <> (SELECT id FROM users WHERE :folded = ?1);
DELETE FROM payments WHERE order_id IN (SELECT id FROM orders WHERE user_id = (SELECT id FROM users WHERE :folded = ?1));
DELETE FROM order_items WHERE order_id IN (SELECT id FROM orders WHERE user_id = (SELECT id FROM users WHERE :folded = ?1));
DELETE FROM orders WHERE user_id = (SELECT id FROM users WHERE :folded = ?1);
DELETE FROM addresses WHERE user_id = (SELECT id FROM users WHERE :folded = ?1);
DELETE FROM sessions WHERE user_id = (SELECT id FROM users WHERE :folded = ?1);
DELETE FROM ticket_messages WHERE ticket_id IN (SELECT id FROM tickets WHERE user_id = (SELECT id FROM users WHERE :folded = ?1));
DELETE FROM tickets WHERE user_id = (SELECT id FROM users WHERE :folded = ?1);
DELETE FROM users WHERE :folded = ?1;
