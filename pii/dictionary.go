package pii

import "strings"

type entry struct {
	Category   Category
	Kind       Kind
	confidence float64
}

// dictionary maps phrases, their tokens glued together, to what they name. An empty category marks a
// phrase that contains a telling word and means something else.
var dictionary = build()

// vocabulary has one line per meaning: category, kind, confidence, and phrases between commas.
var vocabulary = []struct {
	category   Category
	kind       Kind
	confidence float64
	phrases    string
}{
	{Identity, Name, 0.95, `first name, last name, surname, sur name, given name, given names, family name, full name, middle name, maiden name, birth name,
		fname, lname, forename, firstname, lastname, fornavn, etternavn, mellomnavn, vorname, nachname, familienname, zuname, geburtsname, prenom,
		nom de famille, nom complet, nombre completo, apellido, apellidos, primer nombre, nombre de pila, fullt navn, legal name, second name, name first, name last`},
	{Identity, Name, 0.9, `customer name, client name, contact name, author name, sender name, recipient name, member name, guest name, person name, patient name,
		employee name, staff name, student name, holder name, cardholder, cardholder name, card holder, account holder, beneficiary name, subscriber name, buyer name, seller name,
		passenger name, tenant name first, parent name, guardian name, nickname, nick name, kundenname, kundenavn, navn kunde, nom client, nom du client, nombre cliente,
		nombre del cliente, ansprechpartner, kontaktperson, contact person, reviewer name, applicant name, candidate name, driver name, owner name, recipient, addressee,
		visitor name, participant name, attendee name, person full name, preferred name, spouse name, child name, next of kin, from name, billed to, bill to, sold to, deliver to, attention of, billing name, shipping name, delivery name`},
	{Identity, Name, 0.6, `person, initials, salutation, anrede, tiltale, honorific, civilite, suffix name, name prefix, name suffix, pseudonym, alias name, navn, nom, nombre`},
	{Identity, Birth, 0.95, `birth date, birthdate, date of birth, dob, birthday, born, born on, born at, day of birth, year of birth, birth year, geburtsdatum, geburtstag, geboren,
		fodselsdato, foedselsdato, fodt, fodsels dato, date de naissance, date naissance, naissance, fecha de nacimiento, fecha nacimiento, nacimiento, geb datum, gebdat`},
	{Identity, National, 0.95, `ssn, social security number, social security no, social security, national id, national id number, national identifier, national insurance number, nino,
		passport, passport number, passport no, passport id, driver license, driver licence, drivers license, driving licence, driving license, driver license number, license number driver,
		identity card, id card, id card number, identity number, identification number, personnummer, person nr, personnr, fodselsnummer, foedselsnummer, fnr, cpr, cpr number, cpr nr,
		sozialversicherungsnummer, sv nummer, svnr, personalausweis, ausweisnummer, reisepass, steuer id, steuer identifikationsnummer, numero de securite sociale, numero securite sociale, nir,
		dni, nie, nif, curp, rut, cpf, aadhaar, aadhar, aadhaar number, pan number, tax id, tax identification number, tin, itin, bsn, pesel, codice fiscale, numero documento, government id, voter id`},
	{Identity, "", 0.9, `gender, sex, geschlecht, kjonn, kjoenn, sexe, sexo, nationality, citizenship, statsborgerskap, nasjonalitet, staatsangehorigkeit, nationalitat, nationalite, nacionalidad,
		age, alter jahre, alder, edad, marital status, civil status, familienstand, sivilstand, etat civil, estado civil, place of birth, birth place, birthplace, geburtsort, fodested,
		lieu de naissance, lugar de nacimiento, signature image, avatar, profile photo, profile picture, profile image, photo url, avatar url, portrait, headshot, selfie, mothers maiden name, birth country, country of birth`},
	{Contact, Email, 0.97, `email, e mail, email address, e mail address, mail address, emailaddr, email addr, epost, e post, epostadresse, e post adresse, mailadresse, email adresse, courriel,
		adresse email, adresse mail, adresse courriel, correo, correo electronico, email id, contact email, from email, to email, sender email, reply to, from address, to address, cc address, sender address mail,
		recipient email, customer email, user email, billing email, work email, private email, backup email, recovery email, mailbox, mail to, mailto, paypal email`},
	{Contact, Email, 0.7, `mail, from addr, to addr, sender, subscriber, rcpt`},
	{Contact, Phone, 0.95, `phone, phone number, phone no, telephone, telephone number, tel, tel nr, tel no, telno, mobile, mobile number, mobile phone, mobile no, cell, cell phone, cellphone, cell number, msisdn,
		fax, fax number, telefon, telefonnummer, telefon nr, mobil, mobilnummer, mobiltelefon, handy, handynummer, rufnummer, festnetz, tlf, tlf nr, telefono, numero de telefono, movil, celular, portable,
		numero de telephone, numero telephone, landline, whatsapp, whatsapp number, sms number, contact number, contact phone, home phone, work phone, day phone, caller id, caller, callee, emergency contact`},
	{Contact, Postal, 0.93, `address, street, street address, street name, street no, street number, house number, house no, house nr, address line, addr line, addr, postal address, mailing address, home address, shipping address,
		billing address, delivery address, invoice address, ship address, bill address, zip, zip code, zipcode, postcode, post code, postal code, plz, postleitzahl, postnummer, postnr, code postal, codigo postal, cp postal,
		city, town, city name, ort, wohnort, stadt, poststed, by navn, ville, ciudad, strasse, straße, hausnummer, gate, gateadresse, gatenavn, adresse, anschrift, rue, direccion, calle, domicilio, apartment, apt,
		apt no, residence, place of residence, wohnadresse, lieferadresse, rechnungsadresse, leveringsadresse, bostedsadresse, county name, suburb, post box, po box, postboks, postfach, unit number, building name`},
	{Contact, "", 0.85, `skype, telegram, linkedin, twitter, twitter handle, facebook, instagram, social handle, linkedin url, contact details, contact info, kontaktdaten, website personal`},
	{Account, "", 0.9, `username, user name, login, login name, screen name, display name, handle, brukernavn, benutzername, nutzername, nom utilisateur, nom d utilisateur, nombre de usuario, usuario, user login, logon`},
	{Account, Secret, 0.95, `password, password hash, passwd, pwd, passwort, kennwort, passord, mot de passe, contrasena, password digest, hashed password, encrypted password, salt, password salt, pin code, pin hash, passcode, security answer, security question,
		otp, otp secret, totp secret, mfa secret, two factor secret, api key, api secret, secret key, client secret, private key, recovery code, recovery codes, backup codes, access token, refresh token, auth token, id token, reset token,
		reset password token, confirmation token, remember token, bearer token, invite token, verification token, unsubscribe token, api token, magic link`},
	{Account, "", 0.8, `customer no, customer number, customer nr, customer id, customer ref, customer reference, customer code, customer key, customer, cust no, cust id, cust nr, custno, client id, client no, client number, client ref, account id, account ref, account name,
		user id, userid, uid, user ref, member id, member no, member number, membership number, membership no, subscriber id, patient id, patient no, patient number, student id, student number, student no,
		employee id, employee number, employee no, staff id, loyalty number, loyalty card, loyalty id, frequent flyer number, person id, profile id, contact id,
		kundennummer, kunden nr, kundennr, kunden id, kundenr, kunde nr, kundenummer, kunde id, mitgliedsnummer, medlemsnummer, medlem id, numero client, numero de client, id client, client numero, numero cliente, numero de cliente, id cliente, cliente id,
		subject id, data subject, external user id, owner user id, author id, sender id, recipient id, referrer id, referred by, created by, updated by, assigned to, user`},
	{Technical, IP, 0.95, `ip, ip address, ip addr, ipaddr, ipv 4, ipv 6, ipv4, ipv6, remote addr, remote address, remote ip, client ip, client address, source ip, src ip, dest ip, last ip, login ip, signup ip, user ip, peer ip, last login ip, current sign in ip, last sign in ip, registration ip, x forwarded for, adresse ip, ip adresse, direccion ip`},
	{Technical, Token, 0.88, `session, session id, session key, session token, sessid, sid session, cookie, cookie id, cookies, visitor id, anonymous id, device token, push token, fcm token, apns token, csrf token, client token, jwt`},
	{Technical, "", 0.88, `user agent, useragent, ua string, browser, browser fingerprint, device fingerprint, device id, device uuid, device name, device model, device serial, mac address, mac addr, imei, imsi, iccid, idfa, idfv, gaid, aaid, advertising id, ad id,
		android id, udid, hardware id, machine id, tracking id, operating system, os version, screen resolution, referrer url, referer, http referer`},
	{Location, "", 0.9, `lat, latitude, lon, lng, longitude, geo lat, geo lng, geo lon, geo location, geolocation, geo point, geohash, gps, gps position, gps coordinates, coordinates, coords, breitengrad, langengrad, bredde grad, lengdegrad, breddegrad,
		last location, current location, home location, user location, location lat, location lng, check in location, latitud, longitud, position gps, whereabouts, geo ip, geoip city, cell tower`},
	{Financial, IBAN, 0.96, `iban, iban number, bank iban, kontonummer, konto nr, kontonr, bankkonto, bank account, bank account number, bank account no, account iban, sort code, routing number, bank routing number, swift, swift code, bic, bic code, bankverbindung,
		numero de compte, numero compte bancaire, compte bancaire, cuenta bancaria, numero de cuenta, clabe, aba number, ach account, account number, account no, acct number, acct no`},
	{Financial, Card, 0.96, `card number, card no, credit card, credit card number, cc number, cc num, ccnum, debit card, debit card number, card pan, cvv, cvc, cvv 2, card cvv, card cvc, card last 4, last four, last 4, card expiry date, card exp, cc exp, exp month, exp year, card fingerprint,
		kreditkarte, kreditkartennummer, kortnummer, kredittkort, carte bancaire, numero de carte, tarjeta, numero de tarjeta, tarjeta de credito, card token, payment card, card brand`},
	{Financial, "", 0.85, `salary, annual salary, base salary, wage, wages, income, yearly income, annual income, gehalt, lohn, lonn, loenn, einkommen, inntekt, salaire, revenu, salario, sueldo, ingresos, credit score, credit rating, credit limit, net worth, bonus salary, payslip,
		debt, debts, bank name, tax bracket, account balance, wallet balance, insurance number, policy holder, schufa, bonitat`},
	{Health, "", 0.93, `diagnosis, diagnoses, diagnose, diagnosis code, icd code, icd 10, medical history, medical record, medical record number, mrn, medical notes, medication, medications, medikament, medikamente, prescription, prescriptions, allergy, allergies, allergien, allergi,
		blood type, blood group, blood pressure, blutgruppe, blodtype, groupe sanguin, grupo sanguineo, disability, disabilities, behinderung, handicap, discapacidad, illness, disease, krankheit, sykdom, maladie, enfermedad, health status, health condition, health data, gesundheit,
		helse, sante, salud, symptoms, symptom, treatment, therapy, sick leave, sick days, sykemelding, krankmeldung, pregnancy, pregnant, vaccination, vaccinated, vaccination status, hiv status, mental health, dietary restrictions, body weight, bmi, heart rate, height cm, weight kg, insulin, covid status, surgeries`},
	{EthnicOrigin, "", 0.93, `ethnicity, ethnic origin, ethnic group, ethnic, race, racial origin, race code, skin color, skin colour, etnisitet, ethnie, etnia, raza, ethnische herkunft, origine ethnique, origen etnico, caste, tribe`},
	{Political, "", 0.93, `political opinion, political opinions, political party, party membership, party affiliation, political affiliation, political view, political views, politische meinung, parteizugehorigkeit, politisk parti, opinion politique, opinion politica, voting intention, voted for, voting preference`},
	{Religion, "", 0.93, `religion, religious belief, religious beliefs, religious affiliation, faith, denomination, konfession, kirchensteuer, trossamfunn, creencia religiosa, croyance, church membership, religionszugehorigkeit, philosophical belief`},
	{Union, "", 0.93, `trade union, union member, union membership, union id, trade union membership, gewerkschaft, gewerkschaftsmitglied, fagforening, syndicat, sindicato, afiliacion sindical, labor union, labour union`},
	{Genetic, "", 0.95, `genetic data, genetic, dna, dna sample, dna profile, genome, genotype, gene sequence, genetic marker, genetic test, gentest, adn, rs id genotype`},
	{Biometric, "", 0.93, `biometric, biometrics, biometric template, biometric hash, biometric data, fingerprint, finger print, fingerprint template, fingerabdruck, fingeravtrykk, empreinte digitale, huella dactilar, face id, face encoding, face embedding, face template, facial recognition, iris scan, retina scan, retina, voiceprint, voice print, palm print, gait profile`},
	{SexLife, "", 0.95, `sexual orientation, sexuality, sexual preference, sexual preferences, sex life, sexuelle orientierung, seksuell orientering, seksuell legning, orientation sexuelle, orientacion sexual, sexual activity`},
	{Criminal, "", 0.93, `criminal record, criminal history, conviction, convictions, criminal conviction, criminal convictions, offence, offences, offense, offenses, arrest, arrests, arrest record, felony, vorstrafe, vorstrafen, straffeattest, strafferegister, casier judiciaire, antecedentes penales, police record, background check, prison sentence`},
	{Marketing, "", 0.85, `newsletter, newsletter opt in, newsletter subscribed, opt in, optin, opt out, optout, marketing consent, marketing opt in, accepts marketing, email opt in, sms opt in, marketing preferences, mailing list, utm source, utm medium, utm campaign, utm term, utm content,
		campaign response, lead score, lead source, lead status, customer segment, segment, segments, audience, do not contact, do not call, unsubscribed, subscribed, nyhetsbrev, werbeeinwilligung, consent given, gclid, fbclid, persona, churn score, churn risk, propensity score, lifetime value, clv, ltv, rfm score`},
	{Behavioural, "", 0.85, `search query, search queries, search term, search terms, search history, browsing history, page views, pageviews, pages viewed, page viewed, clicks, click count, clicked url, click path, clickstream, interests, hobbies, likes, preferences, user preferences, preference, wishlist, wish list, favourites, favorites, favorite products,
		viewed products, recently viewed, cart contents, purchase history, watch history, listening history, viewing history, reading history, scroll depth, dwell time, time on page, playlist, suchbegriff, interessen, interesser, interets, intereses, quiz answers, personality type`},
	{Usage, "", 0.85, `last login, last login at, last seen, last seen at, last active, last active at, last activity, last activity at, last visit, last visited at, last sign in at, current sign in at, sign in count, login count, logins, visits, visit count, last access, last accessed at, last used at, session duration, session count, usage count, usage minutes,
		api calls, data usage, letzter login, letzte anmeldung, sist innlogget, derniere connexion, ultimo acceso, failed logins, failed login attempts, login attempts, screen time, feature usage, online status, first seen at, last opened at, last clicked at`},
	{Communication, FreeText, 0.8, `message, messages, message body, message text, mail body, email body, email text, body, body text, body html, comment, comments, comment text, note, notes, internal notes, internal note, customer notes, order notes, delivery notes, delivery instructions, remark, remarks, bemerkung, bemerkungen, kommentar, kommentarer, kommentare,
		merknad, merknader, notat, notater, notiz, notizen, nachricht, nachrichten, melding, meldinger, mensaje, mensajes, comentario, comentarios, commentaire, commentaires, remarque, remarques, nota, notas, observaciones, chat, chat message, chat log, chat text, transcript, call transcript, call notes, feedback,
		feedback text, review text, review body, reply, reply text, inquiry, enquiry, anfrage, henvendelse, complaint, complaint text, bio, biography, about me, testimonial, free text, freetext, fritekst, freitext, voicemail, sms text, sms body, letter text, gift message, ticket text, question text, answer text, conversation, post content, message content, content text, email subject, message subject`},
	// Words that look telling and are not.
	{"", "", 0, `file name, filename, host name, hostname, table name, column name, product name, company name, event name, class name, method name, field name, tag name, template name, category name, brand name, server name, domain name, display name key, path name, page name, image name, role name, plan name, project name, campaign name, file path name, app name, country name, currency name, store name, shop name, queue name, job name, group name, list name, status name, type name, model name,
		email template, email subject template, mail server, mail host, mail queue, smtp host, message id, message type, message count, message queue, message key, message status, message level, error message, log message, status message, commit message, system message, page count, page id, image, image url, package, storage, usage unit, language, coverage, average, percentage, mileage, stage, voltage, garage,
		mac, race condition, race id, race date, race time, race result, race number, party size, party id, third party, sender type, body type, body class, body size, html body template, street type, city id, ip version, ip range, ip protocol, ip whitelist, mobile app, mobile enabled, cell style, cell value, cell color, cell index, spreadsheet cell, sex ratio, address type, address book, address bar, memory address, contract address, wallet type, mail type, phone type, phone model, phone os, fax enabled, account type, account status, user type, user count, user role, user agent parser,
		session type, session timeout, session status, browser tab, gate id, gate number, tel aviv, portable device, sort order, sort key, card type, card count, card title, card color, card brand name, card layout, board card, comment count, comments count, comments enabled, note type, note id, notes count, notes enabled, review count, review status, chat enabled, chat room, chat id, content type, content length, feedback count, feedback score, login url, login page, password policy, password required, password changed at, password expires at, password reset at, token type, token count, tokens used, max tokens, session count max, debt ratio, treatment group, treatment id, water treatment, therapy type, segment id, segment count, audience size, tag segment, retina display, retina image, faith score, weight unit, package weight, product weight, shipping weight, item weight, iris dataset, genetic algorithm, user interface, user guide, customer count, customer type, customer group, customer segment id, customer status, client version, client type, person count, date format, birth rate, age group min, age range max, min age, max age, page age, cache age, cookie policy, cookie banner, cookie consent enabled, preference key, preferences version, clicks total limit, click url template, location id, warehouse location, bin location, shelf location, storage location, ip hash salt rounds, bank holiday, fingerprint algorithm, build fingerprint, key fingerprint, cert fingerprint, certificate fingerprint, file fingerprint, schema fingerprint, sex offset, likes count, visits total limit, offence type table, arrest valve, wish list count, city count, city code, zip file, zip path, zip size, zip archive, subject line template, born digital, position, initials enabled, salutation template, swift version, bonus points rate, note template, treatment plan template, note color, street view enabled, town hall id, login enabled, mail enabled, phone enabled, phone verified, email verified, email sent, user limit, name, title, description, code, label, value, amount, price, quantity`},
}

func build() map[string]entry {
	m := map[string]entry{}
	for _, v := range vocabulary {
		for p := range strings.SplitSeq(v.phrases, ",") {
			key := strings.Join(Tokens(p), "")
			if _, taken := m[key]; !taken {
				m[key] = entry{v.category, v.kind, v.confidence}
			}
		}
	}
	return m
}
