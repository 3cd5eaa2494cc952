// tcf.mjs generate COUNT SEED prints random TC strings and what @iabtechlabtcf/core reads in them;
// tcf.mjs decode prints what it reads in the strings of standard input.
import { GVL, Segment, TCModel, TCString, PurposeRestriction } from '@iabtechlabtcf/core';
import { Dice, lines, print } from './common.mjs';

const VENDORS = 900;

function vendorList() {
  const numbered = (n, more) => Object.fromEntries(Array.from({ length: n }, (_, i) => [i + 1, { id: i + 1, ...more(i + 1) }]));
  return new GVL({
    gvlSpecificationVersion: 3, vendorListVersion: 90, tcfPolicyVersion: 5, lastUpdated: '2026-03-05T16:00:00Z',
    purposes: numbered(11, (id) => ({ name: `p${id}` })), specialPurposes: numbered(3, () => ({})),
    features: numbered(3, () => ({})), specialFeatures: numbered(2, () => ({})), stacks: {}, dataCategories: {},
    vendors: numbered(VENDORS, () => ({
      purposes: [1, 2, 3, 4, 9], legIntPurposes: [7, 8, 10, 11], flexiblePurposes: [2, 7, 9, 10],
      specialPurposes: [1], features: [], specialFeatures: [1],
    })),
  });
}

function model(gvl, dice) {
  const m = new TCModel(gvl);
  m.cmpId = 2 + dice.int(4000);
  m.cmpVersion = 2 + dice.int(4000);
  m.consentScreen = dice.int(63);
  m.policyVersion = dice.pick([2, 4, 5]);
  m.isServiceSpecific = dice.bool(0.8);
  m.useNonStandardTexts = dice.bool();
  m.purposeOneTreatment = dice.bool();
  m.publisherCountryCode = dice.pick(['DE', 'AA', 'ZZ', 'FR']);
  m.specialFeatureOptins.set(dice.ids(12));
  m.purposeConsents.set(dice.ids(24));
  m.purposeLegitimateInterests.set(dice.ids(24));
  const max = dice.pick([0, 1, 12, 60, 300, VENDORS]);
  m.vendorConsents.set(dice.ids(max));
  m.vendorLegitimateInterests.set(dice.ids(max));
  m.vendorsDisclosed.set(dice.ids(max));
  m.vendorsAllowed.set(dice.ids(max));
  for (let n = dice.int(4); n > 0 && max > 0; n--) {
    const restriction = new PurposeRestriction(dice.pick([2, 7, 9, 10]), dice.int(2));
    for (const id of dice.ids(max)) m.publisherRestrictions.add(id, restriction);
  }
  m.publisherConsents.set(dice.ids(24));
  m.publisherLegitimateInterests.set(dice.ids(24));
  m.numCustomPurposes = dice.pick([0, 1, 7, 63]);
  m.publisherCustomConsents.set(dice.ids(m.numCustomPurposes));
  m.publisherCustomLegitimateInterests.set(dice.ids(m.numCustomPurposes));
  m.created = new Date(1.5e12 + dice.int(4e9) * 100);
  m.lastUpdated = new Date(1.6e12 + dice.int(4e9) * 100);
  return m;
}

function segments(dice) {
  const rest = [Segment.VENDORS_DISCLOSED, Segment.VENDORS_ALLOWED, Segment.PUBLISHER_TC].filter(() => dice.bool(0.6));
  if (dice.bool(0.3)) rest.reverse();
  return [Segment.CORE, ...rest];
}

const ids = (vector) => [...vector].filter(([, on]) => on).map(([id]) => id);

// read gives what the library reads, in the words of the specification.
function read(text) {
  const m = TCString.decode(text);
  const types = text.split('.').slice(1).map((s) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef'.indexOf(s[0]) >> 3);
  return {
    text,
    created: m.created.getTime(), updated: m.lastUpdated.getTime(),
    numbers: [m.cmpId, m.cmpVersion, m.consentScreen, m.vendorListVersion, m.policyVersion].map(Number),
    letters: m.consentLanguage + m.publisherCountryCode,
    bools: [m.isServiceSpecific, m.useNonStandardTexts, m.purposeOneTreatment],
    optIns: ids(m.specialFeatureOptins),
    consent: ids(m.purposeConsents), interest: ids(m.purposeLegitimateInterests),
    vendorConsent: ids(m.vendorConsents), vendorInterest: ids(m.vendorLegitimateInterests),
    restrictions: m.publisherRestrictions.getRestrictions()
      .map((r) => ({ purpose: r.purposeId, type: r.restrictionType, vendors: m.publisherRestrictions.getVendors(r) })),
    disclosed: types.includes(1) ? ids(m.vendorsDisclosed) : null,
    allowed: types.includes(2) ? ids(m.vendorsAllowed) : null,
    publisher: types.includes(3) ? {
      consent: ids(m.publisherConsents), interest: ids(m.publisherLegitimateInterests), custom: Number(m.numCustomPurposes),
      customConsent: ids(m.publisherCustomConsents), customInterest: ids(m.publisherCustomLegitimateInterests),
    } : null,
  };
}

const [verb, count, seed] = process.argv.slice(2);
if (verb === 'generate') {
  const dice = new Dice(Number(seed));
  const gvl = vendorList();
  print(Array.from({ length: Number(count) }, () => read(TCString.encode(model(gvl, dice), { segments: segments(dice) }))));
} else {
  print(lines().map((text) => {
    try { return read(text); } catch (e) { return { text, error: e.message }; }
  }));
}
