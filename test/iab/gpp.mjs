// gpp.mjs generate COUNT SEED prints random GPP strings and what @iabgpp/cmpapi reads in them;
// gpp.mjs decode prints what it reads in the strings of standard input.
import { GppModel } from '@iabgpp/cmpapi';
import { Dice, lines, print } from './common.mjs';

const STATES = ['usca', 'usva', 'usco', 'usut', 'usct', 'usfl', 'usmt', 'usor', 'ustx', 'usde', 'usia', 'usne', 'usnh', 'usnj',
  'ustn', 'usmn', 'usmd', 'usin', 'usky', 'usri'];

// us fills a section of the United States: each field by the kind of its default value.
function us(m, name, dice) {
  const version = name === 'usnat' ? dice.pick([1, 2]) : 0;
  if (version) m.setFieldValue(name, 'Version', version);
  else m.setFieldValue(name, 'SaleOptOut', dice.int(2));
  const lengths = version === 1 ? { SensitiveDataProcessing: 12, KnownChildSensitiveDataConsents: 2 } : {};
  for (const [field, value] of Object.entries(m.getSection(name))) {
    if (field === 'Version' || field === 'GpcSegmentType') continue;
    if (field === 'MspaVersion') m.setFieldValue(name, field, 1 + dice.int(2));
    else if (field === 'MspaCoveredTransaction') m.setFieldValue(name, field, 1 + dice.int(1));
    else if (typeof value === 'boolean') m.setFieldValue(name, field, dice.bool());
    else if (Array.isArray(value)) m.setFieldValue(name, field, dice.list(lengths[field] ?? value.length, 2));
    else m.setFieldValue(name, field, dice.int(2));
  }
  for (const included of ['GpcSegmentIncluded', 'SensitiveDataConsentSegmentIncluded']) {
    try { m.setFieldValue(name, included, dice.bool()); } catch { /* the section has no such subsection */ }
  }
}

const bits = (dice, n) => Array.from({ length: n }, () => dice.bool());

function canada(m, dice) {
  const max = dice.pick([0, 1, 12, 60, 300]);
  const custom = dice.pick([0, 1, 7]);
  for (const [field, value] of Object.entries({
    CmpId: dice.int(4095), CmpVersion: dice.int(4095), ConsentScreen: dice.int(63), ConsentLanguage: dice.pick(['FR', 'EN']),
    VendorListVersion: dice.int(4095), TcfPolicyVersion: dice.int(63), UseNonStandardStacks: dice.bool(),
    SpecialFeatureExpressConsent: bits(dice, 12), PurposesExpressConsent: bits(dice, 24), PurposesImpliedConsent: bits(dice, 24),
    VendorExpressConsent: dice.ids(max), VendorImpliedConsent: dice.ids(max), DisclosedVendors: dice.ids(max),
    PubPurposesExpressConsent: bits(dice, 24), PubPurposesImpliedConsent: bits(dice, 24), NumCustomPurposes: custom,
    CustomPurposesExpressConsent: bits(dice, custom), CustomPurposesImpliedConsent: bits(dice, custom),
    Created: new Date(1.6e12 + dice.int(4e9) * 100), LastUpdated: new Date(1.7e12 + dice.int(4e9) * 100),
  })) m.setFieldValue('tcfcav1', field, value);
}

function europe(m, dice) {
  m.setFieldValue('tcfeuv2', 'CmpId', 2 + dice.int(4000));
  m.setFieldValue('tcfeuv2', 'VendorConsents', dice.ids(dice.pick([0, 12, 300])));
  m.setFieldValue('tcfeuv2', 'VendorsDisclosed', dice.ids(dice.pick([0, 12, 300])));
}

function model(dice) {
  const m = new GppModel();
  if (dice.bool(0.2)) europe(m, dice);
  if (dice.bool(0.4)) canada(m, dice);
  if (dice.bool(0.3)) {
    for (const field of ['Notice', 'OptOutSale', 'LspaCovered']) m.setFieldValue('uspv1', field, dice.pick(['Y', 'N', '-']));
  }
  const p = dice.pick([0.1, 0.5, 1]);
  for (const name of ['usnat', ...STATES]) if (dice.bool(p)) us(m, name, dice);
  return m;
}

const ids = (flags) => flags.flatMap((on, i) => (on ? [i + 1] : []));

// read gives what the library reads, in the words of the specification; lists of numbers wherever it can.
function read(text) {
  const m = new GppModel(text);
  const sections = {};
  const parts = {}; // the subsections that are not there have values all the same
  for (const [i, id] of m.getSectionIds().entries()) {
    const name = id === 7 ? 'usnat' : { 2: 'tcfeuv2', 5: 'tcfcav1', 6: 'uspv1' }[id] ?? STATES[id - 8];
    parts[name] = text.split('~')[i + 1];
    const out = {};
    for (let [field, value] of Object.entries(m.getSection(name))) {
      if (!parts[name].includes('.') && (field === 'Gpc' || field === 'SensitiveDataProcessing' && id > 24)) continue;
      if (field === 'DisclosedVendors' && !/\.[I-P]/.test(parts[name])) continue;
      if (/SegmentType|SegmentIncluded/.test(field)) continue;
      if (value instanceof Date) value = value.getTime();
      if (Array.isArray(value) && typeof value[0] === 'boolean') value = ids(value);
      if (field === 'PubRestrictions' || field === 'PublisherRestrictions') {
        value = value.flatMap((r) => [r.getKey(), r.getType(), ...r.getIds()]);
      }
      if (typeof value === 'string') value = [...value].map((c) => c.charCodeAt(0));
      out[field] = [].concat(value).map(Number);
    }
    sections[name] = out;
  }
  return { text, sections };
}

const [verb, count, seed] = process.argv.slice(2);
if (verb === 'generate') {
  const dice = new Dice(Number(seed));
  print(Array.from({ length: Number(count) }, () => read(model(dice).encode())));
} else {
  print(lines().map((text) => {
    try { return read(text); } catch (e) { return { text, error: e.message }; }
  }));
}
