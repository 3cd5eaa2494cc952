package demo

var firstNames = []string{
	"Anna", "Bjørn", "Camilla", "Dag", "Eva", "Finn", "Grete", "Henrik", "Ingrid", "Jonas", "Kari", "Lars", "Marit", "Nils", "Oda", "Per",
	"Ragna", "Sindre", "Tuva", "Ulrik", "Vilde", "Amina", "Ravi", "Priya", "Arjun", "Meera", "Kavya", "Sanjay", "Emma", "Liam", "Olivia",
	"Noah", "Sofia", "Diego", "Lucia", "Mateo", "Chloé", "Hugo", "Léa", "Jürgen", "Käthe", "Zoë", "Yusuf", "Leyla", "Wren", "Aoife",
}

var lastNames = []string{
	"Hansen", "Johansen", "Olsen", "Larsen", "Andersen", "Nilsen", "Berg", "Haugen", "Moen", "Lund", "Solberg", "Strand", "Bakken", "Eide",
	"Vik", "Dahl", "Lie", "Holm", "Rao", "Sharma", "Iyer", "Patel", "Singh", "Das", "Smith", "Garcia", "Nguyen", "Müller", "Weiß", "Schröder",
	"Lefèvre", "Moreau", "Rossi", "Yılmaz", "O'Brien", "van Dijk", "Kowalski", "Novák", "Silva", "Kim",
}

var streets = []string{"Fjordveien", "Storgata", "Kirkegata", "Skogveien", "Strandgata", "Bergveien", "Nedre Vei", "MG Road", "Oak Street", "Lindenallee"}

var places = []struct{ city, country string }{
	{"Bergen", "NO"}, {"Oslo", "NO"}, {"Tromsø", "NO"}, {"Trondheim", "NO"}, {"Göteborg", "SE"}, {"Hamburg", "DE"}, {"Lyon", "FR"},
	{"Bengaluru", "IN"}, {"Pune", "IN"}, {"Oakland", "US"}, {"San Diego", "US"},
}

var products = []struct {
	name  string
	cents int
}{
	{"Tent for two", 349900}, {"Tent for four", 549900}, {"Down sleeping bag", 279900}, {"Gas stove", 89900}, {"Headlamp", 44900},
	{"Rope, 60 m", 189900}, {"Ice axe", 99900}, {"Rain jacket", 229900}, {"Wool base layer", 79900}, {"Trekking poles", 64900},
	{"Backpack, 50 l", 199900}, {"Snow shoes", 159900}, {"Dry bag", 24900}, {"Map of Jotunheimen", 19900}, {"Compass", 34900},
	{"Water filter", 49900}, {"Kayak paddle", 119900}, {"Wool socks", 14900}, {"Bivouac sack", 69900}, {"Thermos", 29900},
}

var reviewTexts = []string{
	"Dry after three days of rain.", "Lighter than I thought.", "The zip is stiff in the cold.", "Would buy again.", "Kept me warm at minus twelve.",
	"A seam opened after a week.", "Good value.", "Smaller than on the picture.",
}

var questions = []string{
	"When will my parcel arrive?", "The zip of my tent is broken.", "Can I change the size?", "I was charged twice.", "Do you repair stoves?",
	"How do I wash the jacket?", "My discount did not work.",
}

var answers = []string{
	"Thank you for writing. It is on its way.", "Please send it back, we will mend it.", "We have changed it for you.", "The amount was returned today.",
}
