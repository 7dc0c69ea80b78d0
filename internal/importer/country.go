package importer

import (
	"cmp"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
	"golang.org/x/text/unicode/norm"

	"partnerview/internal/usage"
)

// callingCodes are the country codes of ITU-T E.164 that one country alone has.
// Left out are those that several share, 1, 7, 39, 44, 47, 61, 64, 212, 262, 290,
// 358, 500, 590, 599 and 672: from them no country can be told.
const callingCodes = " 20EG 27ZA 30GR 31NL 32BE 33FR 34ES 36HU 40RO 41CH 43AT 45DK 46SE 48PL 49DE 51PE 52MX 53CU " +
	"54AR 55BR 56CL 57CO 58VE " +
	"60MY 62ID 63PH 65SG 66TH 81JP 82KR 84VN 86CN 90TR 91IN 92PK 93AF 94LK 95MM 98IR " +
	"211SS 213DZ 216TN 218LY 220GM 221SN 222MR 223ML 224GN 225CI 226BF 227NE 228TG 229BJ 230MU 231LR 232SL 233GH " +
	"234NG 235TD 236CF 237CM 238CV 239ST " +
	"240GQ 241GA 242CG 243CD 244AO 245GW 246IO 248SC 249SD 250RW 251ET 252SO 253DJ 254KE 255TZ 256UG 257BI 258MZ " +
	"260ZM 261MG 263ZW 264NA 265MW 266LS 267BW 268SZ 269KM " +
	"291ER 297AW 298FO 299GL 350GI 351PT 352LU 353IE 354IS 355AL 356MT 357CY 359BG 370LT 371LV 372EE 373MD 374AM " +
	"375BY 376AD 377MC 378SM 380UA 381RS 382ME 383XK 385HR 386SI 387BA 389MK " +
	"420CZ 421SK 423LI 501BZ 502GT 503SV 504HN 505NI 506CR 507PA 508PM 509HT 591BO 592GY 593EC 594GF 595PY 596MQ " +
	"597SR 598UY " +
	"670TL 673BN 674NR 675PG 676TO 677SB 678VU 679FJ 680PW 681WF 682CK 683NU 685WS 686KI 687NC 688TV 689PF 690TK " +
	"691FM 692MH " +
	"850KP 852HK 853MO 855KH 856LA 880BD 886TW 960MV 961LB 962JO 963SY 964IQ 965KW 966SA 967YE 968OM 970PS 971AE " +
	"972IL 973BH 974QA 975BT 976MN 977NP 992TJ 993TM 994AZ 995GE 996KG 998UZ "

// otherNames are English names that countries have beside those of CLDR in the
// version that golang.org/x/text has: newer ones, those of the United Nations and of
// ISO 3166, and short forms. Formal names as "the Republic of Malta" are not among
// them: shortName takes these apart.
const otherNames = `
AE:UAE|AR:Argentine Republic|BN:Brunei Darussalam|BQ:Bonaire, Sint Eustatius and Saba|CD:Democratic Republic of the Congo
CD:Congo, Democratic Republic of the|CD:Congo, The Democratic Republic of the|CD:DR Congo|CD:Congo (DRC)|CG:Congo|CG:Congo, Republic of the
CG:Republic of the Congo|CG:Congo Republic|CG:Congo (Republic)|CH:Swiss Confederation|CI:Ivory Coast|CV:Cabo Verde|CZ:Czech Republic
FK:Falkland Islands (Malvinas)|FK:Falkland Islands (Islas Malvinas)|FR:French Republic|GA:Gabonese Republic|GB:UK|GB:Great Britain
GB:Great Britain and Northern Ireland|GR:Hellenic Republic|GS:South Georgia and the South Sandwich Islands|HK:Hong Kong SAR
HK:China, Hong Kong Special Administrative Region|HK:Hong Kong Special Administrative Region of China|HM:Heard Island and McDonald Islands
IT:Italian Republic|KG:Kyrgyz Republic|KP:Democratic People's Republic of Korea|KP:Korea, Democratic People's Republic of
KP:Korea, the Democratic People's Republic of|KR:Republic of Korea|KR:Korea, Republic of|KR:Korea, the Republic of|LA:Lao People's Democratic Republic
LA:Lao PDR|LB:Lebanese Republic|MF:Saint Martin (French part)|MK:North Macedonia|MK:The former Yugoslav Republic of Macedonia|MM:Myanmar|MM:Burma
MO:Macao|MO:Macau SAR|MO:Macao SAR|MO:China, Macao Special Administrative Region|MO:Macao Special Administrative Region of China
MX:United Mexican States|PN:Pitcairn|PS:Palestine|PS:Occupied Palestinian Territory|PT:Portuguese Republic|RU:Russian Federation|SH:Saint Helena, Ascension and Tristan da Cunha
SJ:Svalbard and Jan Mayen Islands|SK:Slovak Republic|SX:Sint Maarten (Dutch part)|SY:Syrian Arab Republic|SZ:Eswatini|TG:Togolese Republic
TL:East Timor|TL:Timor-Leste|TR:Türkiye|TW:Republic of China|TW:Taiwan, Province of China|UM:United States Minor Outlying Islands
US:United States of America|US:The United States of America|US:U.S.|VA:Holy See|VA:Vatican|VA:Vatican City State|VA:Holy See (Vatican City State)|VC:St. Vincent and the Grenadines|VG:Virgin Islands, British|VG:Virgin Islands (British)
VI:Virgin Islands, U.S.|VI:Virgin Islands (U.S.)|VI:United States Virgin Islands|VI:Virgin Islands of the United States|WF:Wallis and Futuna Islands
`

// atlas finds countries by what the platform's exports call them.
type atlas struct {
	byName        map[string]usage.Country // by simplified English name
	byOtherName   map[string]usage.Country // the same of alpha-3 codes and otherNames
	byCallingCode map[string]usage.Country // "65" → "SG"
}

func newAtlas() atlas {
	a := atlas{map[string]usage.Country{}, map[string]usage.Country{}, map[string]usage.Country{}}
	names := display.English.Regions()
	for code := range usage.Countries() {
		if region, err := language.ParseRegion(string(code)); err == nil {
			a.byName[simplified(names.Name(region))] = code
			a.byOtherName[simplified(region.ISO3())] = code
		}
	}
	for entry := range strings.FieldsFuncSeq(otherNames, func(r rune) bool { return r == '|' || r == '\n' }) {
		code, name, _ := strings.Cut(entry, ":")
		a.byOtherName[simplified(name)] = usage.Country(code)
	}
	for entry := range strings.FieldsSeq(callingCodes) {
		digits, code := entry[:len(entry)-2], entry[len(entry)-2:]
		a.byCallingCode[digits] = usage.Country(code)
	}
	return a
}

// find is the country of an English name, an alpha-2 or an alpha-3 code, in any
// case, else of a calling code that is one country's alone; empty: none can be told.
func (a atlas) find(name, callingCode string) usage.Country {
	if code, err := usage.ParseCountry(name); err == nil && code.IsAssigned() {
		return code
	}
	for _, name := range []string{name, shortName(name)} {
		key := simplified(name)
		if code := cmp.Or(a.byName[key], a.byOtherName[key]); code != "" {
			return code
		}
	}
	return a.byCallingCode[strings.TrimPrefix(callingCode, "+")]
}

var (
	formalName   = regexp.MustCompile(`(?i)^(?:.* )?(?:republic|kingdom|states?|principality|commonwealth|sultanate|union|duchy) of (.+)$`)
	invertedName = regexp.MustCompile(`(?i)^([^,(]+)(?:, | \()(?:the|.+ of(?: the)?)\)?$`)
)

// shortName is what is left of a formal name: "Malta" of "Republic of Malta", "Iran"
// of "Iran (Islamic Republic of)", "Gambia" of "The Gambia".
func shortName(name string) string {
	if m := invertedName.FindStringSubmatch(name); m != nil {
		name = m[1]
	} else if m := formalName.FindStringSubmatch(name); m != nil {
		name = m[1]
	}
	if len(name) > 4 && strings.EqualFold(name[:4], "the ") {
		name = name[4:]
	}
	return name
}

// simplified is a name in lower-case letters without accents, with what differs
// between spellings made the same: "Côte d’Ivoire" and "COTE D'IVOIRE", "Bosnia &
// Herzegovina" and "Bosnia and Herzegovina", "Hong Kong SAR China" and "Hong Kong",
// "St. Lucia" and "Saint Lucia", "U.S.A." and "USA".
func simplified(name string) string {
	name = strings.ToLower(strings.ReplaceAll(name, "&", " and "))
	name = strings.TrimSuffix(name, " sar china")
	var letters strings.Builder
	for _, r := range norm.NFD.String(name) {
		if unicode.IsLetter(r) {
			letters.WriteRune(r)
		}
	}
	return strings.ReplaceAll(letters.String(), "saint", "st")
}
