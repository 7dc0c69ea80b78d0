package importer

import (
	"strings"

	"partnerview/internal/money"
)

// currencies are the codes of ISO 4217 that money can be owed in: the active
// ones, and BGN, which ended with 2025 and is within what the logs reach back to.
// Precious metals, test codes and "no currency" are not among them.
// docs/decisions says why they are listed here.
const currencies = " AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD " +
	"CAD CDF CHF CLF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD " +
	"HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD " +
	"MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG " +
	"QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS " +
	"UAH UGX USD UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG "

// parseCurrency reads an ISO 4217 code in capitals.
func parseCurrency(code string) (money.Currency, bool) {
	if len(code) != 3 || !strings.Contains(currencies, " "+code+" ") {
		return "", false
	}
	return money.Currency(code), true
}
