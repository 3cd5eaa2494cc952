package catalog_test

import (
	"fmt"
	"testing"
)

// TestScanOfKeysOfOneName: where every key is an entity_id, none refers to another by that; a grid beside orders says the same of each.
// The number of a thing in stock is that of no thing wished for.
func TestScanOfKeysOfOneName(t *testing.T) {
	path := stores(t, "", map[string]string{"shop": `create table customer_entity (entity_id integer primary key, email text unique, firstname text, password_hash text);
		create table catalog_product_entity (entity_id integer primary key, sku text);
		create table customer_grid_flat (entity_id integer primary key, email text, name text, a text, b text, c text, d text);
		create table sales_order (entity_id integer primary key, customer_id integer, increment_id text);
		create table sales_order_grid (entity_id integer primary key, increment_id text, billing_name text);
		create table sales_creditmemo_grid (entity_id integer primary key, increment_id text, billing_name text);
		create table wishlist (wishlist_id integer primary key, customer_id integer not null);
		create table wishlist_item (wishlist_item_id integer primary key, wishlist_id integer not null, product_id integer not null);
		create table stock_item (item_id integer primary key, product_id integer not null, qty integer);
		insert into customer_entity values ` + series(60, func(i int) string { return fmt.Sprintf("%d, %s, 'Ida', 'x'", i, mail(i)) }) + `;
		insert into catalog_product_entity values ` + series(40, func(i int) string { return fmt.Sprintf("%d, 'T-%d'", i, i) }) + `;
		insert into customer_grid_flat select entity_id, email, firstname, '', '', '', '' from customer_entity;
		insert into sales_order select entity_id, entity_id, '0000'||(entity_id+100) from customer_entity;
		insert into sales_order_grid select entity_id, increment_id, 'Ida' from sales_order;
		insert into sales_creditmemo_grid select entity_id, '1000'||entity_id, 'Ida' from sales_order;
		insert into wishlist select entity_id, entity_id from customer_entity;
		insert into wishlist_item select entity_id, entity_id, 1+entity_id%40 from customer_entity;
		insert into stock_item select entity_id, entity_id, 7 from catalog_product_entity;`})
	same(t, linksOf(t, path), []string{
		`people:shop.customer_entity {"customer":"entity_id","email":"email"}`,
		`link:shop.customer_grid_flat.entity_id customer_entity.entity_id own`,
		`link:shop.sales_order.customer_id customer_entity.entity_id own`,
		`link:shop.sales_order_grid.entity_id sales_order.entity_id own`,
		`link:shop.wishlist.customer_id customer_entity.entity_id own`,
		`link:shop.wishlist_item.wishlist_id wishlist.wishlist_id own`,
	})
}

// TestScanOfSites: the tables of a site hang on each other, and on none of another site; who made something is a user, and no line of a
// log with an address; and an address is of the users whom the key beside it leads to.
func TestScanOfSites(t *testing.T) {
	site := func(n string) string {
		return fmt.Sprintf(`create table wp%[1]s_posts (ID integer primary key, post_author integer, post_title text);
			create table wp%[1]s_postmeta (meta_id integer primary key, post_id integer, meta_value text);
			create table wp%[1]s_termmeta (meta_id integer primary key, term_id integer, meta_value text);
			create table wp%[1]s_comments (comment_ID integer primary key, comment_post_ID integer, comment_author_email text, user_id integer);
			insert into wp%[1]s_posts select ID, ID, 'Walk' from wp_users;
			insert into wp%[1]s_postmeta select ID, ID, 'x' from wp_users;
			insert into wp%[1]s_termmeta select ID, ID, 'x' from wp_users;
			insert into wp%[1]s_comments select ID, ID, case when ID %% 3 then user_email else 'guest'||ID||'@example.org' end, case when ID %% 3 then ID else 0 end from wp_users;`, n)
	}
	path := stores(t, "", map[string]string{"club": `create table wp_users (ID integer primary key, user_login text, user_pass text, user_email text);
		create table wp_registration_log (ID integer primary key, email text, IP text);
		create table wp_groups (id integer primary key, creator_id integer, slug text);
		create table wp_entry (id integer primary key, created_by integer, ip text);
		create table wp_entry_meta (id integer primary key, entry_id integer, meta_value text);
		insert into wp_users values ` + series(60, func(i int) string { return fmt.Sprintf("%d, 'ida%d', 'x', %s", i, i, mail(i)) }) + `;
		insert into wp_registration_log select ID, user_email, '10.0.0.1' from wp_users;
		insert into wp_groups select ID, ID, 'walks' from wp_users where ID <= 20;
		insert into wp_entry select ID+400, ID, '10.0.0.1' from wp_users;
		insert into wp_entry_meta select id, id, 'x' from wp_entry;` + site("") + site("_2")})
	of := func(n string) []string {
		return []string{
			`link:club.wp` + n + `_posts.post_author wp_users.ID own author`,
			`link:club.wp` + n + `_postmeta.post_id wp` + n + `_posts.ID own`,
			`link:club.wp` + n + `_comments.user_id wp_users.ID own`,
			`link:club.wp` + n + `_comments.comment_author_email wp_users.user_email own author`,
			`link:club.wp` + n + `_comments.comment_post_ID wp` + n + `_posts.ID context`,
		}
	}
	same(t, linksOf(t, path), append(append([]string{
		`people:club.wp_registration_log {"email":"email"}`,
		`people:club.wp_users {"email":"user_email","user":"ID"}`,
		`link:club.wp_groups.creator_id wp_users.ID own author`,
		`link:club.wp_entry.created_by wp_users.ID own author`,
		`link:club.wp_entry_meta.entry_id wp_entry.id own`,
	}, of("")...), of("_2")...))
}

// TestScanOfAPractice: of a patient and a user a payment is the patient's; their history is no log; columns of a table may all begin alike; a
// form_id that forms have beside their key is no key of theirs; and what is only named after lists, and refers to none, stays unmapped.
func TestScanOfAPractice(t *testing.T) {
	path := stores(t, "", map[string]string{"clinic": `create table patient_data (id integer primary key, pid integer unique, fname text, lname text, email text);
		create table users (id integer primary key, username text, password text, fname text, email text);
		create table pharmacies (id integer primary key, name text, email text);
		create table ar_session (session_id integer primary key, user_id integer, patient_id integer);
		create table history_data (id integer primary key, pid integer, tobacco text);
		create table events (pc_eid integer primary key, pc_pid text, pc_title text, pc_room text, pc_hometext text);
		create table forms (id integer primary key, pid integer, form_id integer, form_name text);
		create table lbt_data (form_id integer, field_id text, field_value text, primary key (form_id, field_id));
		create table lists (id integer primary key, pid integer, title text);
		create table documents (id integer primary key, list_id integer, url text);
		create table orders (id integer primary key, patient_id integer, document_id integer);
		create table reports (report_id integer primary key, order_id integer, list_id integer);
		create table registry (uuid text primary key, table_name text, table_id text);
		insert into patient_data values ` + series(60, func(i int) string { return fmt.Sprintf("%d, %d, 'Ida', 'Berg', %s", i, i+5000, mail(i)) }) + `;
		insert into users values ` + series(12, func(i int) string { return fmt.Sprintf("%d, 'staff%d', 'x', 'Bo', 'staff%d@example.net'", i, i, i) }) + `;
		insert into pharmacies values ` + series(12, func(i int) string { return fmt.Sprintf("%d, 'Nord', 'nord%d@example.net'", i+70, i) }) + `;
		insert into ar_session select id+300, 1+id%12, id from patient_data;
		insert into history_data select id, pid, 'never' from patient_data;
		insert into events select id+500, pid, 'Visit', '1', 'x' from patient_data;
		insert into forms select id, pid, 61-id, 'Vitals' from patient_data;
		insert into lbt_data select id, 'body', 'a letter' from patient_data;
		insert into lists select id, pid, 'Asthma' from patient_data;
		insert into documents select id, 0, 'scan.pdf' from patient_data;
		insert into orders select id+900, id, 0 from patient_data;
		insert into reports select id+500, id, 0 from orders;
		insert into registry select 'u'||id, 'patient_data', id from patient_data;`})
	same(t, linksOf(t, path), []string{
		`people:clinic.patient_data {"email":"email","patient":"id"}`,
		`people:clinic.users {"email":"email","user":"id"}`,
		`link:clinic.ar_session.patient_id patient_data.id own`,
		`link:clinic.ar_session.user_id users.id mention`,
		`link:clinic.history_data.pid patient_data.pid own`,
		`link:clinic.events.pc_pid patient_data.pid own`,
		`link:clinic.forms.pid patient_data.pid own`,
		`link:clinic.lists.pid patient_data.pid own`,
		`link:clinic.orders.patient_id patient_data.id own`,
		`link:clinic.reports.order_id orders.id own`,
		`link:clinic.reports.list_id lists.id context`,
		`link:clinic.registry.table_id:patient_data patient_data.id own`,
	})
}

// TestScanOfAMapping: a user_mapping gives each user the key that all else names them by.
func TestScanOfAMapping(t *testing.T) {
	path := stores(t, "", map[string]string{"wiki": `create table cwd_user (id integer primary key, user_name text, email_address text, first_name text);
		create table user_mapping (user_key text primary key, username text not null, lower_username text unique);
		create table likes (id integer primary key, username text not null references user_mapping (user_key));
		create table viewed (id integer primary key, user_key text);
		insert into cwd_user values ` + series(60, func(i int) string { return fmt.Sprintf("%d, 'person%d', %s, 'Ida'", i, i, mail(i)) }) + `;
		insert into user_mapping select '8a80'||(id+1000), user_name, user_name from cwd_user;
		insert into likes select rowid, user_key from user_mapping;
		insert into viewed select rowid, user_key from user_mapping;`})
	same(t, linksOf(t, path), []string{
		`people:wiki.cwd_user {"email":"email_address","user":"id"}`,
		`people:wiki.user_mapping {"wiki_user":"user_key"}`,
		`link:wiki.user_mapping.username cwd_user.user_name alias`,
		`link:wiki.viewed.user_key user_mapping.user_key own`,
	})
}

// TestScanOfProfiles: a profile under the key of its user is the user, so that who invites somebody is nobody's owner; and a team that one
// was invited to is no part of the invitation.
func TestScanOfProfiles(t *testing.T) {
	path := stores(t, "", map[string]string{"app": `create table users (id integer primary key, email text unique, password text);
		create table profiles (id integer primary key references users (id), full_name text);
		create table teams (id integer primary key, name text, billing_email text);
		create table team_members (team_id integer references teams (id), user_id integer not null references profiles (id), role text, invited_by integer references profiles (id), primary key (team_id, user_id));
		create table invitations (id integer primary key, team_id integer not null references teams (id), email text);
		create table search_history (id integer primary key, user_id integer not null references users (id), words text);
		insert into users values ` + series(60, func(i int) string { return fmt.Sprintf("%d, %s, 'x'", i, mail(i)) }) + `;
		insert into profiles select id, 'Ida' from users;
		insert into teams select id, 'Team', null from users where id <= 30;
		insert into team_members select 1+id%30, id, 'member', 61-id from users;
		insert into search_history select id, id, 'tents' from users;
		insert into invitations select id, id, 'person'||id||'@example.com' from teams;`})
	same(t, linksOf(t, path), []string{
		`people:app.profiles {"profile":"id"}`,
		`people:app.users {"email":"email","user":"id"}`,
		`link:app.invitations.email users.email own`,
		`link:app.team_members.invited_by profiles.id mention`,
	})
}

// TestScanOfAHospital: a patient under the key of a person is the person, and so is who signs in; what they created for others to refer to, or
// as a part of something else, is not theirs, but what hangs on nothing else is.
func TestScanOfAHospital(t *testing.T) {
	path := stores(t, "", map[string]string{"clinic": `create table person (person_id integer primary key, birthdate text, creator integer not null references users (user_id));
		create table users (user_id integer primary key, username text, password text, email text, person_id integer not null references person (person_id));
		create table patient (patient_id integer primary key references person (person_id), creator integer not null references users (user_id));
		create table concept (concept_id integer primary key, short_name text, creator integer not null references users (user_id), changed_by integer references users (user_id));
		create table upload (upload_id integer primary key, path text, creator integer not null references users (user_id));
		create table encounter (encounter_id integer primary key, patient_id integer not null references patient (patient_id), creator integer not null references users (user_id));
		create table obs (obs_id integer primary key, encounter_id integer references encounter (encounter_id), concept_id integer references concept (concept_id), creator integer not null references users (user_id));
		insert into person values ` + series(60, func(i int) string { return fmt.Sprintf("%d, '1970-01-%02d', %d", i, 1+i%28, 1+i%20) }) + `;
		insert into users values ` + series(20, func(i int) string { return fmt.Sprintf("%d, 'staff%d', 'x', 'staff%d@example.net', %d", i, i, i, i) }) + `;
		insert into patient select person_id, 1 + person_id % 20 from person;
		insert into concept select user_id, 'Pulse', user_id, null from users;
		insert into upload select user_id, 'cv.pdf', user_id from users;
		insert into encounter select patient_id, patient_id, creator from patient;
		insert into obs select encounter_id, encounter_id, 1, creator from encounter;`})
	same(t, linksOf(t, path), []string{
		`people:clinic.patient {"patient":"patient_id"}`,
		`people:clinic.person {"person":"person_id"}`,
		`people:clinic.users {"email":"email","user":"user_id"}`,
		`link:clinic.users.person_id person.person_id alias`,
		`link:clinic.concept.changed_by users.user_id mention`,
		`link:clinic.concept.creator users.user_id mention`,
		`link:clinic.encounter.creator users.user_id mention`,
		`link:clinic.obs.creator users.user_id mention`,
	})
}

// TestScanOfLetters: a letter from an address that stands in a register of addresses is not whose address it is, and not the user's to whom it
// was assigned; and a case is the contact's, where no row names a lead.
func TestScanOfLetters(t *testing.T) {
	path := stores(t, "", map[string]string{"crm": `create table user (id text primary key, user_name text, password text, last_name text);
		create table contact (id text primary key, first_name text, last_name text);
		create table lead (id text primary key, first_name text, last_name text);
		create table email_address (id text primary key, name text);
		create table entity_email_address (id integer primary key, entity_id text, entity_type text, email_address_id text);
		create table email (id text primary key, from_email_address_id text, body text, parent_id text, parent_type text, assigned_user_id text);
		create table help_case (id text primary key, lead_id text, contact_id text);
		insert into user values ` + series(12, func(i int) string { return fmt.Sprintf("'u%d', 'staff%d', 'x', 'Bo'", i, i) }) + `;
		insert into contact values ` + series(60, func(i int) string { return fmt.Sprintf("'c%d', 'Ida', 'Berg'", i) }) + `;
		insert into lead values ` + series(60, func(i int) string { return fmt.Sprintf("'l%d', 'Ida', 'Berg'", i) }) + `;
		insert into email_address select 'm'||id, id||'@example.com' from contact union all select 'm'||id, id||'@example.net' from user;
		insert into entity_email_address select rowid, id, 'Contact', 'm'||id from contact union all select 100+rowid, id, 'User', 'm'||id from user;
		insert into email select 'e'||id, 'm'||id, 'Good morning', id, 'Contact', 'u'||(1+rowid%12) from contact;
		insert into help_case select 'h'||id, null, id from contact;`})
	same(t, linksOf(t, path), []string{
		`people:crm.contact {"contact":"id"}`,
		`people:crm.email_address {"email":"name"}`,
		`people:crm.lead {"lead":"id"}`,
		`people:crm.user {"user":"id"}`,
		`link:crm.entity_email_address.email_address_id email_address.id alias`,
		`link:crm.entity_email_address.entity_id:contact contact.id alias`,
		`link:crm.entity_email_address.entity_id:user user.id alias`,
		`link:crm.email.assigned_user_id user.id mention`,
		`link:crm.email.from_email_address_id email_address.id own author`,
		`link:crm.email.parent_id:contact contact.id own`,
		`link:crm.help_case.contact_id contact.id own`,
		`link:crm.help_case.lead_id lead.id mention`,
	})
}
