package catalog_test

import (
	"fmt"
	"testing"
)

// TestScanOfASite: whose user id created or modified a category only handled it; an item in a log may be anything's and no order's; and who
// stands in user_id_from is a user.
func TestScanOfASite(t *testing.T) {
	path := stores(t, "", map[string]string{"site": `create table j_users (id integer primary key, name text, username text, email text, password text);
		create table j_categories (id integer primary key, title text, created_user_id integer, modified_user_id integer);
		create table j_messages (message_id integer primary key, user_id_from integer, user_id_to integer, message text);
		create table j_action_logs (id integer primary key, user_id integer, item_id integer, message text);
		create table j_orders (order_id integer primary key, user_id integer);
		create table j_order_items (order_item_id integer primary key, order_id integer, name text);
		create table j_order_returns (id integer primary key, item_id integer, because text);
		insert into j_users values ` + series(60, func(i int) string { return fmt.Sprintf("%d, 'Ida', 'ida%d', %s, 'x'", i, i, mail(i)) }) + `;
		insert into j_categories select id+700, 'Tents', 1+id%5, 1+id%5 from j_users;
		insert into j_messages select id+700, id, 61-id, 'Good morning' from j_users;
		insert into j_action_logs select id+700, id, id, 'x' from j_users;
		insert into j_orders select id+700, id from j_users;
		insert into j_order_items select id, id+700, 'Tent' from j_users;
		insert into j_order_returns select id+700, id, 'too small' from j_users;`})
	same(t, linksOf(t, path), []string{
		`people:site.j_users {"email":"email","user":"id"}`,
		`link:site.j_categories.created_user_id j_users.id mention`,
		`link:site.j_categories.modified_user_id j_users.id mention`,
		`link:site.j_messages.user_id_from j_users.id co author`,
		`link:site.j_messages.user_id_to j_users.id co`,
		`link:site.j_action_logs.user_id j_users.id own`,
		`link:site.j_orders.user_id j_users.id own`,
		`link:site.j_order_items.order_id j_orders.order_id own`,
		`link:site.j_order_returns.item_id j_order_items.order_item_id own`,
		`keep:site.j_action_logs`,
	})
}
