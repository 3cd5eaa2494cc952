package catalog_test

import (
	"fmt"
	"testing"
)

// TestScanOfFirmsOfTheSameNumbers: who pays or owns may be a firm as well as a person, so where both have the numbers it is neither's
// by a name that says no more; a letter's sender is a person all the same, and who pays is one where the firms have other numbers.
func TestScanOfFirmsOfTheSameNumbers(t *testing.T) {
	shop := func(first int) string {
		return `create table patient_data (id integer primary key, pid integer unique, fname text, lname text, email text);
		create table insurance_companies (id integer primary key, name text);
		create table billing (id integer primary key, pid integer, payer_id integer, fee real);
		create table vehicles (id integer primary key, owner_id integer, plate text);
		create table messages (id integer primary key, sender_id integer, body text);
		insert into patient_data values ` + series(60, func(i int) string { return fmt.Sprintf("%d, %d, 'Ida', 'Berg', %s", i, i+5000, mail(i)) }) + `;
		insert into insurance_companies select id+` + fmt.Sprint(first) + `, 'Nord' from patient_data where id <= 30;
		insert into billing select id+700, pid, 1+id%30, 100 from patient_data;
		insert into vehicles select id+700, 1+id%30, 'EK 1' from patient_data;
		insert into messages select id+700, 1+id%30, 'Good morning' from patient_data;`
	}
	both := []string{
		`people:clinic.patient_data {"email":"email","patient":"id"}`,
		`link:clinic.billing.pid patient_data.pid own`,
		`link:clinic.messages.sender_id patient_data.id own author`,
		`keep:clinic.billing`,
	}
	same(t, linksOf(t, stores(t, "", map[string]string{"clinic": shop(0)})), both)
	same(t, linksOf(t, stores(t, "", map[string]string{"clinic": shop(900)})), append(both,
		`link:clinic.billing.payer_id patient_data.id mention`,
		`link:clinic.vehicles.owner_id patient_data.id own`))
}
