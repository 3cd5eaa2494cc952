package catalog_test

import (
	"fmt"
	"testing"
)

// TestScanOfASiteInManyLanguages: a row for each language one is written in, keys of three letters, fields in
// tables of their own, and guests who comment under an address: as a content management system has it.
func TestScanOfASiteInManyLanguages(t *testing.T) {
	path := stores(t, "", map[string]string{"site": `create table users (uid integer primary key, uuid text, langcode text);
		create table users_field_data (uid integer not null, langcode text not null, name text, pass text, mail text, init text, primary key (uid, langcode));
		create table user__field_phone (bundle text not null, deleted integer not null, entity_id integer not null, langcode text not null, delta integer not null, field_phone_value text, primary key (entity_id, deleted, delta, langcode));
		create table user__user_picture (bundle text not null, deleted integer not null, entity_id integer not null, langcode text not null, delta integer not null, user_picture_target_id integer, primary key (entity_id, deleted, delta, langcode));
		create table node_field_data (nid integer not null, langcode text not null, uid integer not null, title text, primary key (nid, langcode));
		create table node__body (bundle text not null, deleted integer not null, entity_id integer not null, langcode text not null, delta integer not null, body_value text, primary key (entity_id, deleted, delta, langcode));
		create table comment_field_data (cid integer not null, langcode text not null, uid integer not null, mail text, subject text, primary key (cid, langcode));
		create table file_managed (fid integer primary key, uid integer, filename text);
		create table profile (profile_id integer primary key, type text, uid integer);
		create table profile__address (deleted integer not null, entity_id integer not null, langcode text not null, delta integer not null, address_line1 text, primary key (entity_id, deleted, delta, langcode));
		create table commerce_order (order_id integer primary key, uid integer not null, billing_profile__target_id integer);
		create table history (uid integer not null, nid integer not null, timestamp integer not null, primary key (uid, nid));
		insert into users values ` + series(60, func(i int) string { return fmt.Sprintf("%d, 'x%d', 'en'", i, i) }) + `;
		insert into users_field_data values ` + series(60, func(i int) string { return fmt.Sprintf("%d, 'en', 'Ida', 'x', %s, %s", i, mail(i), mail(i)) }) + `, (0, 'en', '', null, null, null), (7, 'nb', 'Ida', 'x', 'person7@example.com', 'person7@example.com');
		insert into user__field_phone select 'user', 0, uid, 'en', 0, '+4790000'||(100+uid) from users;
		insert into user__user_picture select 'user', 0, uid, 'en', 0, uid from users;
		insert into node_field_data select uid+500, 'en', uid, 'A walk' from users;
		insert into node__body select 'node', 0, nid, 'en', 0, 'Up early, and the weather was fine.' from node_field_data;
		insert into comment_field_data select uid, 'en', case when uid%3 > 0 then uid else 0 end, case when uid%3 = 0 then 'guest'||uid||'@example.org' end, 'Re' from users;
		insert into file_managed select uid+200, uid, 'portrait.jpg' from users;
		insert into profile select uid+300, 'customer', uid from users;
		insert into profile__address select 0, profile_id, 'en', 0, 'Storgata 1' from profile;
		insert into commerce_order select profile_id+300, uid, profile_id from profile;
		insert into history select uid, uid+500, 1700000000 from users;`})
	same(t, linksOf(t, path), []string{
		`people:site.users_field_data {"email":"mail","user":"uid"}`,
		`link:site.users.uid users_field_data.uid own`,
		`link:site.user__field_phone.entity_id users_field_data.uid own`,
		`link:site.user__user_picture.entity_id users_field_data.uid own`,
		`link:site.node_field_data.uid users_field_data.uid own`,
		`link:site.node__body.entity_id node_field_data.nid own`,
		`link:site.comment_field_data.uid users_field_data.uid own`,
		`link:site.comment_field_data.mail users_field_data.mail own`,
		`link:site.file_managed.uid users_field_data.uid own`,
		`link:site.profile.uid users_field_data.uid own`,
		`link:site.profile__address.entity_id profile.profile_id own`,
		`link:site.commerce_order.uid users_field_data.uid own`,
		`link:site.commerce_order.billing_profile__target_id profile.profile_id context`,
		`link:site.history.uid users_field_data.uid own`,
		`link:site.history.nid node_field_data.nid context`,
	})
}

// TestScanOfManyEmployers: the number of an employee says who it is only beside the employer's, in declared keys
// and in others; of employees alone it is theirs, and who reviewed or approved is named.
func TestScanOfManyEmployers(t *testing.T) {
	path := stores(t, "", map[string]string{"hr": `create table employee (tenant_id integer not null, employee_no integer not null, work_email text, private_email text, manager_email text, copy_email text, given_name text, manager_no integer, primary key (tenant_id, employee_no), foreign key (tenant_id, manager_no) references employee(tenant_id, employee_no));
		create table review (id integer primary key, tenant_id integer not null, employee_no integer not null, reviewer_no integer not null, foreign key (tenant_id, employee_no) references employee, foreign key (tenant_id, reviewer_no) references employee);
		create table relative (tenant_id integer not null, employee_no integer not null, seq integer not null, full_name text, phone text, primary key (tenant_id, employee_no, seq), foreign key (tenant_id, employee_no) references employee);
		create table emergency_contact (tenant_id integer not null, employee_no integer not null, seq integer not null, full_name text, phone text, primary key (tenant_id, employee_no, seq), foreign key (tenant_id, employee_no) references employee);
		create table time_entry (tenant_id integer not null, employee_no integer not null, day text not null, note text, primary key (tenant_id, employee_no, day));
		create table expense (id integer primary key, tenant_id integer not null, employee_no integer not null, approved_by_no integer);
		create table device (tag text primary key, tenant_id integer not null, assigned_to integer);
		create table product (tenant_id integer not null, sku_no integer not null, title text, primary key (tenant_id, sku_no));
		insert into employee values ` + series(60, func(i int) string {
		return fmt.Sprintf("%d, %d, %s, 'me%d@example.net', %s, %s, 'Ida', null", 1+i%3, 100+i/3, mail(i), i, mail(i%7), mail(i))
	}) + `;
		insert into review select null, tenant_id, employee_no, employee_no from employee;
		insert into relative select tenant_id, employee_no, 1, 'Kari', '+4790000'||(100+employee_no)||tenant_id from employee;
		insert into emergency_contact select * from relative;
		insert into time_entry select tenant_id, employee_no, '2026-01-01', null from employee;
		insert into expense select null, tenant_id, employee_no, 101 from employee;
		insert into device select 'T'||tenant_id||employee_no, tenant_id, employee_no from employee;
		insert into product values ` + series(60, func(i int) string { return fmt.Sprintf("%d, %d, 'Tent'", 1+i%3, 100+i/3) })})
	same(t, linksOf(t, path), []string{
		`people:hr.employee {"email":"work_email"} private_email`,
		`link:hr.review.tenant_id+reviewer_no employee.tenant_id+employee_no mention`,
		`link:hr.time_entry.tenant_id+employee_no employee.tenant_id+employee_no own`,
		`link:hr.expense.tenant_id+employee_no employee.tenant_id+employee_no own`,
		`link:hr.expense.tenant_id+approved_by_no employee.tenant_id+employee_no mention`,
		`link:hr.device.tenant_id+assigned_to employee.tenant_id+employee_no mention`,
	})
}

// TestScanOfASocialNetwork: who signs in is a user, and all that they do hangs on an account of theirs, which has no address.
func TestScanOfASocialNetwork(t *testing.T) {
	path := stores(t, "", map[string]string{"s": `create table accounts (id integer primary key, username text, display_name text, note text);
		create table shops (id integer primary key, title text);
		create table users (id integer primary key, email text unique, account_id integer not null references accounts(id), shop_id integer references shops(id));
		create table statuses (id integer primary key, account_id integer not null references accounts(id), body text);
		create table follows (id integer primary key, account_id integer not null references accounts(id), target_account_id integer not null references accounts(id));
		create table broker_link (idp text not null, broker_username text, user_id text not null, primary key (idp, user_id));
		insert into accounts values ` + series(90, func(i int) string { return fmt.Sprintf("%d, 'ida%d', 'Ida', 'hi'", i+1000, i) }) + `;
		insert into shops values ` + series(60, func(i int) string { return fmt.Sprintf("%d, 'Shop'", i) }) + `;
		insert into users values ` + series(60, func(i int) string { return fmt.Sprintf("%d, %s, %d, %d", i, mail(i), i+1000, i) }) + `;
		insert into statuses select null, id, 'hello' from accounts;
		insert into follows select null, id, 1001 from accounts;
		insert into broker_link select 'google', email, id from users;`})
	same(t, linksOf(t, path), []string{
		`people:s.users {"email":"email","user":"id"}`,
		`people:s.accounts {"account":"id"}`,
		`link:s.users.account_id accounts.id alias`,
		`link:s.broker_link.user_id users.id own`,
		`link:s.follows.account_id accounts.id co`,
		`link:s.follows.target_account_id accounts.id co`,
	})
}

// TestScanOfNamesWrittenAsOne: userid and discussion are references as user_id and discussion_id are; a question's
// attempt is no quiz's.
func TestScanOfNamesWrittenAsOne(t *testing.T) {
	path := stores(t, "", map[string]string{"lms": `create table mdl_user (id integer primary key, username text, email text, firstname text);
		create table mdl_forum_discussions (id integer primary key, userid integer not null, name text);
		create table mdl_forum_posts (id integer primary key, discussion integer not null, userid integer not null, message text);
		create table mdl_messages (id integer primary key, useridfrom integer not null, fullmessage text);
		create table mdl_quiz_attempts (id integer primary key, quiz integer, userid integer not null);
		create table mdl_question_attempts (id integer primary key, usageid integer);
		create table mdl_question_attempt_steps (id integer primary key, questionattemptid integer not null, userid integer);
		create table mdl_scales (id integer primary key, valid integer, paid integer, gridid integer);
		insert into mdl_user values ` + series(60, func(i int) string { return fmt.Sprintf("%d, 'ida%d', %s, 'Ida'", i, i, mail(i)) }) + `;
		insert into mdl_forum_discussions select id, id, 'Rivers' from mdl_user;
		insert into mdl_forum_posts select id, 61-id, id, 'they flow' from mdl_user;
		insert into mdl_messages select id, id, 'hello' from mdl_user;
		insert into mdl_quiz_attempts select id, 1, id from mdl_user;
		insert into mdl_question_attempts select id, 500 from mdl_user;
		insert into mdl_question_attempt_steps select id, id, id from mdl_user;
		insert into mdl_scales select id, id, id, id from mdl_user;`})
	same(t, linksOf(t, path), []string{
		`people:lms.mdl_user {"email":"email","user":"id"}`,
		`link:lms.mdl_forum_discussions.userid mdl_user.id own`,
		`link:lms.mdl_forum_posts.userid mdl_user.id own`,
		`link:lms.mdl_forum_posts.discussion mdl_forum_discussions.id context`,
		`link:lms.mdl_messages.useridfrom mdl_user.id own author`,
		`link:lms.mdl_quiz_attempts.userid mdl_user.id own`,
		`link:lms.mdl_question_attempt_steps.userid mdl_user.id own`,
	})
}

// TestScanOfAddressesApart: users have their addresses in a dataset of its own, where people enter; the second post of
// a topic is no post's key.
func TestScanOfAddressesApart(t *testing.T) {
	path := stores(t, "", map[string]string{"f": `create table users (id integer primary key, username text unique, name text);
		create table user_emails (id integer primary key, user_id integer not null, email text, is_primary integer);
		create table posts (id integer primary key, user_id integer, topic_no integer, raw text);
		create table notifications (id integer primary key, user_id integer not null, post_number integer, data text);
		insert into users values ` + series(60, func(i int) string { return fmt.Sprintf("%d, 'ida%d', 'Ida Nordmann'", i, i) }) + `;
		insert into user_emails values ` + series(60, func(i int) string { return fmt.Sprintf("%d, %d, %s, 1", i, i, mail(i)) }) + `, (99, 7, 'second@example.org', 0);
		insert into posts select id, id, 1, 'they flow' from users;
		insert into notifications select id, id, 1+id%3, '{}' from users;`})
	same(t, linksOf(t, path), []string{
		`people:f.users {"user":"id"}`,
		`people:f.user_emails {"email":"email"}`,
		`link:f.user_emails.user_id users.id alias`,
		`link:f.posts.user_id users.id own`,
		`link:f.notifications.user_id users.id own`,
	})
}

// TestScanOfLogins: people have a login and a password and no more, and everything else hangs on the login, by whatever name:
// that of a share is its owner, and with whom it is shared is named.
func TestScanOfLogins(t *testing.T) {
	path := stores(t, "", map[string]string{"c": `create table oc_users (uid text primary key, displayname text, password text);
		create table oc_groups (gid text primary key, displayname text);
		create table oc_accounts_data (id integer primary key, uid text not null, name text not null, value text);
		create table oc_preferences (userid text not null, configkey text not null, configvalue text, primary key (userid, configkey));
		create table oc_share (id integer primary key, share_with text, uid_owner text not null, uid_initiator text, item text);
		create table oc_activity (id integer primary key, user text, affecteduser text, type text);
		create table oc_few (id integer primary key, colour text);
		insert into oc_users values ` + series(60, func(i int) string { return fmt.Sprintf("'ida%d', 'Ida Nordmann', 'x'", i) }) + `;
		insert into oc_groups values ('staff', 'Staff');
		insert into oc_accounts_data select null, uid, 'displayname', displayname from oc_users;
		insert into oc_preferences select uid, 'lang', 'nb' from oc_users;
		insert into oc_share select null, 'ida'||(61-rowid), uid, uid, 'file' from oc_users;
		insert into oc_activity select null, uid, 'ida'||(61-rowid), 'shared' from oc_users;
		insert into oc_few values (1, 'ida1'), (2, 'ida2');`})
	same(t, linksOf(t, path), []string{
		`people:c.oc_users {"user":"uid"}`,
		`link:c.oc_accounts_data.uid oc_users.uid own`,
		`link:c.oc_preferences.userid oc_users.uid own`,
		`link:c.oc_share.uid_owner oc_users.uid own`,
		`link:c.oc_share.uid_initiator oc_users.uid mention`,
		`link:c.oc_share.share_with oc_users.uid mention`,
		`link:c.oc_activity.user oc_users.uid own`,
		`link:c.oc_activity.affecteduser oc_users.uid mention`,
	})
}

// TestScanOfAHelpDesk: a single letter says whose thread or form it is; accounts are parts of their users; an entry of a form
// is no entry of a thread; and one mailbox in all rows is nobody's address.
func TestScanOfAHelpDesk(t *testing.T) {
	path := stores(t, "", map[string]string{"h": `create table ost_user (id integer primary key, default_email_id integer not null, name text);
		create table ost_user_email (id integer primary key, user_id integer not null, address text unique);
		create table ost_user_account (id integer primary key, user_id integer not null, passwd text);
		create table ost_ticket (ticket_id integer primary key, user_id integer not null, number text);
		create table ost_thread (id integer primary key, object_id integer not null, object_type text not null);
		create table ost_thread_entry (id integer primary key, thread_id integer not null, user_id integer not null default 0, body text);
		create table ost_thread_entry_email (id integer primary key, thread_entry_id integer not null, email_id integer);
		create table ost_form_entry (id integer primary key, object_id integer, object_type text);
		create table ost_form_entry_values (entry_id integer not null, field_id integer not null, value text, primary key (entry_id, field_id));
		insert into ost_user values ` + series(60, func(i int) string { return fmt.Sprintf("%d, %d, 'Ida'", i, i) }) + `;
		insert into ost_user_email select id, id, 'ida'||id||'@example.org' from ost_user;
		insert into ost_user_account select id, id, 'x' from ost_user where id < 40;
		insert into ost_ticket select id+1000, id, 'T'||id from ost_user;
		insert into ost_thread select ticket_id+1000, ticket_id, 'T' from ost_ticket union all select 3000+id, id, 'A' from ost_user where id < 30;
		insert into ost_thread_entry select id, id, case when id%2 then id-2000 else 0 end, 'It did not arrive' from ost_thread where object_type = 'T';
		insert into ost_thread_entry_email select id, id, 1 from ost_thread_entry;
		insert into ost_form_entry select 5000+ticket_id, ticket_id, 'T' from ost_ticket union all select 8000+id, id, 'U' from ost_user;
		insert into ost_form_entry_values select id, 1, 'blue' from ost_form_entry;`})
	same(t, linksOf(t, path), []string{
		`people:h.ost_user {"user":"id"}`,
		`people:h.ost_user_email {"email":"address"}`,
		`link:h.ost_user_email.user_id ost_user.id alias`,
		`link:h.ost_user_account.user_id ost_user.id own`,
		`link:h.ost_ticket.user_id ost_user.id own`,
		`link:h.ost_thread.object_id:t ost_ticket.ticket_id own`,
		`link:h.ost_thread_entry.user_id ost_user.id own`,
		`link:h.ost_thread_entry.thread_id ost_thread.id context`,
		`link:h.ost_thread_entry_email.thread_entry_id ost_thread_entry.id own`,
		`link:h.ost_form_entry.object_id:t ost_ticket.ticket_id own`,
		`link:h.ost_form_entry.object_id:u ost_user.id own`,
		`link:h.ost_form_entry_values.entry_id ost_form_entry.id own`,
	})
}
