package catalog_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// linksOf is what a scan proposes about people, links and what must be kept.
func linksOf(t *testing.T, path string) []string {
	t.Helper()
	var got []string
	for _, s := range summary(scan(t, path)) {
		if !strings.HasPrefix(s, "categories:") {
			got = append(got, s)
		}
	}
	slices.Sort(got)
	return got
}

func same(t *testing.T, got, want []string) {
	t.Helper()
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestScanOfABusinessSystem: persons and firms are partners, some of them users too; what hangs on any
// record names its model beside its number; and bookings are called moves.
func TestScanOfABusinessSystem(t *testing.T) {
	path := stores(t, "organization: {name: X, jurisdictions: [no]}\n", map[string]string{"erp": `create table res_partner (id integer primary key, parent_id integer references res_partner(id), name text, email text, phone text);
		create table res_users (id integer primary key, partner_id integer not null references res_partner(id), login text unique, password text);
		create table res_users_log (id integer primary key, create_uid integer, create_date text);
		create table sale_order (id integer primary key, partner_id integer not null references res_partner(id), partner_invoice_id integer not null references res_partner(id), user_id integer references res_users(id), write_uid integer references res_users(id), amount_total real);
		create table purchase_order (id integer primary key, partner_id integer not null references res_partner(id));
		create table account_move (id integer primary key, partner_id integer references res_partner(id), invoice_date text, amount_total real);
		create table account_move_line (id integer primary key, move_id integer not null references account_move(id), partner_id integer references res_partner(id), debit real, credit real);
		create table mail_message (id integer primary key, model text, res_id integer, message_type text, message_id text, body text);
		create table payment_token (id integer primary key, partner_id integer not null references res_partner(id));
		create table rating (id integer primary key, partner_id integer not null references res_partner(id), access_token text, vehicle_model text, vehicle_id integer);
		insert into res_partner values ` + series(100, func(i int) string {
		return fmt.Sprintf("%d, null, 'Ida Nordmann', %s, '+4790000%03d'", i, mail(i), i)
	}) + `;
		insert into res_users values ` + series(10, func(i int) string { return fmt.Sprintf("%d, %d, %s, 'x'", i, i+20, mail(i+20)) }) + `;
		insert into res_users_log values ` + series(60, func(i int) string { return fmt.Sprintf("%d, %d, '2026-01-01'", i, 1+i%10) }) + `;
		insert into sale_order values ` + series(80, func(i int) string {
		return fmt.Sprintf("%d, %d, %d, %d, %d, 10.5", i+1000, i, i, 1+i%10, 1+i%10)
	}) + `;
		insert into purchase_order values ` + series(80, func(i int) string { return fmt.Sprintf("%d, %d", i, i) }) + `;
		insert into account_move values ` + series(80, func(i int) string { return fmt.Sprintf("%d, %d, '2026-01-01', 10.5", i, i) }) + `;
		insert into payment_token values ` + series(80, func(i int) string { return fmt.Sprintf("%d, %d", i, i) }) + `;
		insert into rating values ` + series(80, func(i int) string { return fmt.Sprintf("%d, %d, null, 'Volvo', 7", i, i) }) + `;
		insert into mail_message values ` + series(80, func(i int) string {
		return fmt.Sprintf("%d, 'sale.order', %d, 'email', '<%d@x>', 'hello there'", i, i+1000, i)
	}) + `, ` + series(40, func(i int) string {
		return fmt.Sprintf("%d, 'res.partner', %d, 'note', '<n%d@x>', 'hello there'", i+80, i, i)
	})})
	same(t, linksOf(t, path), []string{
		`people:erp.res_partner {"email":"email","partner":"id"}`,
		`people:erp.res_users {"email":"login","user":"id"}`,
		`link:erp.res_users.partner_id res_partner.id alias`,
		`link:erp.res_users_log.create_uid res_users.id mention`,
		`link:erp.mail_message.res_id:sale_order sale_order.id own`,
		`link:erp.mail_message.res_id:res_partner res_partner.id own`,
		`link:erp.sale_order.partner_id res_partner.id co`,
		`link:erp.sale_order.partner_invoice_id res_partner.id co`,
		`link:erp.sale_order.user_id res_users.id mention`,
		`link:erp.sale_order.write_uid res_users.id mention`,
		`keep:erp.account_move  5 years after invoice_date`,
		`keep:erp.account_move_line`,
	})
}

// TestScanOfContentTypes: the word beside a number may itself be a number, of a register of types.
func TestScanOfContentTypes(t *testing.T) {
	path := stores(t, "", map[string]string{"dj": `create table auth_user (id integer primary key, username text unique, email text, first_name text);
		create table shop_order (id integer primary key, user_id integer not null references auth_user(id), "lastChangedBy" integer references auth_user(id));
		create table content_type (id integer primary key, app_label text, model text);
		create table tagged_item (id integer primary key, content_type_id integer not null references content_type(id), object_id text, tag text);
		insert into content_type values (3, 'auth', 'user'), (7, 'shop', 'order'), (8, 'shop', 'product');
		insert into auth_user values ` + series(60, func(i int) string { return fmt.Sprintf("%d, 'login%d', %s, 'Ida'", i, i, mail(i)) }) + `;
		insert into shop_order values ` + series(60, func(i int) string { return fmt.Sprintf("%d, %d, 1", i+100, i) }) + `;
		insert into tagged_item values ` + series(60, func(i int) string {
		return fmt.Sprintf("%d, %d, '%d', 'red'", i, []int{3, 7, 8}[i%3], []int{i, i + 100, i + 500}[i%3])
	})})
	same(t, linksOf(t, path), []string{
		`people:dj.auth_user {"email":"email","user":"id"}`,
		`link:dj.shop_order.lastChangedBy auth_user.id mention`,
		`link:dj.tagged_item.object_id:3 auth_user.id own`,
		`link:dj.tagged_item.object_id:7 shop_order.id own`,
	})
}

// TestScanOfAShopWithEntities: customers are customer_entity; carts, copies of orders and addresses name
// them by number and guests by address; an order's own address is not looked for among the carts'; a type
// is no event; and a digest is no account number.
func TestScanOfAShopWithEntities(t *testing.T) {
	path := stores(t, "", map[string]string{"shop": `create table customer_entity (entity_id integer primary key, website_id integer, email text, firstname text, lastname text, password_hash text, unique (email, website_id));
		create table customer_grid_flat (entity_id integer primary key, name text, email text, dob text, city text, phone text, gender text);
		create table customer_log (log_id integer primary key, customer_id integer not null unique, last_login_at text);
		create table newsletter_subscriber (subscriber_id integer primary key, customer_id integer not null default 0, subscriber_email text);
		create table password_reset_event (id integer primary key, account text, ip text);
		create table report_event (event_id integer primary key, event_type_id integer, amount integer);
		create table admin_session (id integer primary key, user_ip text);
		create table quote (entity_id integer primary key, customer_id integer, customer_email text, session_id text);
		create table quote_address (address_id integer primary key, quote_id integer not null references quote(entity_id), email text);
		create table sales_order (entity_id integer primary key, customer_id integer references customer_entity(entity_id), customer_email text, billing_address_id integer);
		create table sales_order_address (entity_id integer primary key, parent_id integer references sales_order(entity_id), city text);
		insert into customer_entity values ` + series(90, func(i int) string {
		return fmt.Sprintf("%d, 1, %s, 'Ida', 'Nordmann', 'ba%d3f0a7c1d2e3f405162738495a6b7'", i, mail(i), i%10)
	}) + `;
		insert into customer_grid_flat select entity_id, firstname||' '||lastname, email, null, null, null, null from customer_entity;
		insert into customer_log select entity_id+500, entity_id, '2026-01-01' from customer_entity;
		insert into newsletter_subscriber select entity_id+700, 0, email from customer_entity where entity_id < 60;
		insert into password_reset_event values ` + series(30, func(i int) string { return fmt.Sprintf("%d, %s, '192.0.2.1'", i, mail(i)) }) + `;
		insert into report_event values ` + series(60, func(i int) string { return fmt.Sprintf("%d, 1, 2", i) }) + `;
		insert into quote select entity_id+1000, case when entity_id%4 > 0 then entity_id end, case when entity_id%4 > 0 then email else 'guest'||entity_id||'@example.org' end, null from customer_entity;
		insert into quote_address select entity_id-1000, entity_id, customer_email from quote;
		insert into sales_order select entity_id, customer_id, customer_email, entity_id-1000 from quote;
		insert into sales_order_address select entity_id-1000, entity_id, 'Oslo' from sales_order;`})
	var got []string
	for _, p := range linksOf(t, path) {
		if !strings.HasPrefix(p, "keep:") && !strings.HasPrefix(p, "redact:") {
			got = append(got, p)
		}
	}
	same(t, got, []string{
		`people:shop.customer_entity {"customer":"entity_id","email":"email"}`,
		`people:shop.newsletter_subscriber {"email":"subscriber_email","subscriber":"subscriber_id"}`,
		`people:shop.password_reset_event {"email":"account"}`,
		`link:shop.customer_grid_flat.entity_id customer_entity.entity_id own`,
		`link:shop.customer_log.customer_id customer_entity.entity_id own`,
		`link:shop.quote.customer_email customer_entity.email own`,
		`link:shop.quote.customer_id customer_entity.entity_id own`,
		`link:shop.quote_address.email customer_entity.email own`,
		`link:shop.sales_order.customer_email customer_entity.email own`,
	})
	for _, s := range scan(t, path).Surprises {
		if strings.Contains(s.Text, "IBAN") {
			t.Errorf("%s: %s", s.Dataset, s.Text)
		}
	}
}

// TestScanOfAClinic: some patients have an account, some have none; who looked at a patient is named in the log.
func TestScanOfAClinic(t *testing.T) {
	path := stores(t, "", map[string]string{"c": `create table auth_user (id integer primary key, email text, first_name text);
		create table accounts_profile (id integer primary key, user_id integer not null unique references auth_user(id), phone text, bio text);
		create table patient (id integer primary key, user_id integer unique references auth_user(id), full_name text, dob text);
		create table visit (id integer primary key, patient_id integer not null references patient(id), reason text);
		create table view (id integer primary key, viewer_id integer, patient_id integer, at text);
		insert into auth_user values ` + series(60, func(i int) string { return fmt.Sprintf("%d, %s, 'Ida'", i, mail(i)) }) + `;
		insert into accounts_profile select id, id, '+4790000001', 'skis' from auth_user;
		insert into patient select id+100, case when id%3 > 0 then id end, 'Ida Nordmann', '1980-01-01' from auth_user;
		insert into visit select id, id, 'back pain' from patient;
		insert into view select id, id-100, id, '2026-01-01' from patient;`})
	same(t, linksOf(t, path), []string{
		`people:c.auth_user {"email":"email","user":"id"}`,
		`people:c.patient {"patient":"id"}`,
		`link:c.patient.user_id auth_user.id alias`,
		`link:c.view.patient_id patient.id own`,
		`link:c.view.viewer_id auth_user.id mention`,
	})
}
